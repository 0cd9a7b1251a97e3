"""The reader of YAML files that people write, as the node's other modules know it: network/yaml_tree.py."""

from network.yaml_tree import Tree, WrongFile, parse_yaml, read_yaml

__all__ = ["Tree", "WrongFile", "parse_yaml", "read_yaml"]
