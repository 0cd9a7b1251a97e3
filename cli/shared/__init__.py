"""The parts that commands share: the session, words on the command line, output, errors and exit codes.

Begin with `session.py`.
"""
