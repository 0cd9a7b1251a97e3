// One usage transaction with the official gateway client, as a company with a Node.js system would write it.
// Reads its task as JSON from standard input (bytes in base64), and writes the ledger's answers to standard output.

import * as grpc from '@grpc/grpc-js';
import { connect, EndorseError, hash, signers } from '@hyperledger/fabric-gateway';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

const TIME_LIMIT_MS = 30_000;

async function main() {
  const task = JSON.parse(readFileSync(0, 'utf8'));
  const client = new grpc.Client(task.address, grpc.credentials.createSsl(Buffer.from(task.tlsRoots)));
  const gateway = connect({
    client,
    identity: { mspId: task.mspId, credentials: Buffer.from(task.certificate) },
    signer: signers.newPrivateKeySigner(createPrivateKey(task.key)),
    hash: hash.sha256,
    ...timeLimits(),
  });
  try {
    process.stdout.write(JSON.stringify(await run(gateway.getNetwork(task.channel), task)));
  } finally {
    gateway.close();
    client.close();
  }
}

async function run(network, task) {
  const contract = network.getContract(task.chaincode);
  const refusal = await submitRefused(contract, task.forged);
  const committed = await submit(contract, task.transaction);
  return {
    refusal,
    committed,
    answer: base64(await contract.evaluate(task.query.name, { arguments: [bytes(task.query.request)] })),
    event: await findEvent(network, task.chaincode, committed),
    privateTransactions: await countPrivateTransactions(network, committed.blockNumber),
  };
}

// The four steps that every transaction takes.
async function submit(contract, { name, request, transient, endorsers }) {
  const proposal = contract.newProposal(name, {
    arguments: [bytes(request)],
    transientData: Object.fromEntries(Object.entries(transient).map(([key, value]) => [key, bytes(value)])),
    endorsingOrganizations: endorsers,
  });
  const transaction = await proposal.endorse();
  const commit = await transaction.submit();
  const status = await commit.getStatus();
  return {
    txId: status.transactionId,
    code: status.code,
    blockNumber: Number(status.blockNumber),
    result: base64(transaction.getResult()),
  };
}

async function submitRefused(contract, transaction) {
  try {
    await submit(contract, transaction);
  } catch (error) {
    if (error instanceof EndorseError) {
      return error.details.map(({ mspId, message }) => ({ mspId, message }));
    }
    throw error;
  }
  throw new Error('the ledger took a forged transaction');
}

async function findEvent(network, chaincode, { txId, blockNumber }) {
  const events = await network.getChaincodeEvents(chaincode, { startBlock: BigInt(blockNumber) });
  try {
    for await (const event of events) {
      if (event.transactionId === txId) {
        return { name: event.eventName, payload: base64(event.payload), blockNumber: Number(event.blockNumber) };
      }
    }
  } finally {
    events.close();
  }
  throw new Error('the event stream ended');
}

async function countPrivateTransactions(network, blockNumber) {
  const blocks = await network.getBlockAndPrivateDataEvents({ startBlock: BigInt(blockNumber) });
  try {
    for await (const block of blocks) {
      return block.getPrivateDataMapMap().getLength();
    }
  } finally {
    blocks.close();
  }
  throw new Error('the block stream ended');
}

function timeLimits() {
  const limit = () => ({ deadline: Date.now() + TIME_LIMIT_MS });
  return {
    evaluateOptions: limit,
    endorseOptions: limit,
    submitOptions: limit,
    commitStatusOptions: limit,
    chaincodeEventsOptions: limit,
    blockAndPrivateDataEventsOptions: limit,
  };
}

function bytes(text) {
  return Buffer.from(text, 'base64');
}

function base64(data) {
  return Buffer.from(data).toString('base64');
}

await main();
