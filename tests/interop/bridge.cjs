// A Node program with BullMQ and bull-board: takes commands as lines of JSON and answers each with one line.
const readline = require("readline");
const { Queue, Worker, QueueEvents } = require("bullmq");
const { createBullBoard } = require("@bull-board/api");
const { BullMQAdapter } = require("@bull-board/api/bullMQAdapter");

const { queueName, socket, password } = JSON.parse(process.argv[2]);
const connection = { path: socket, password, maxRetriesPerRequest: null };
const queue = new Queue(queueName, { connection });
const seen = [];
const taken = [];
let events, worker, routes, queues;

// bull-board without a web server: its adapter keeps the routes and we call their handlers.
function board() {
  const adapter = new Proxy({}, {
    get: (_, name) => (value) => {
      if (name === "setApiRoutes") routes = value;
      if (name === "setQueues") queues = value;
      return adapter;
    },
  });
  createBullBoard({ queues: [new BullMQAdapter(queue)], serverAdapter: adapter, options: { uiBasePath: "/nowhere" } });
}

async function callBoard(method, route, params = {}, query = {}) {
  const found = routes.find((one) => one.method === method && [one.route].flat().includes(route));
  if (!found) throw new Error(`bull-board has no ${method} ${route}`);
  return found.handler({ queues, params: { queueName, ...params }, query, body: {}, headers: {} });
}

const commands = {
  async add({ data, opts }) {
    return (await queue.add("render", data, opts)).id;
  },
  async listen() {
    events = new QueueEvents(queueName, { connection, lastEventId: "0-0" });
    for (const name of ["added", "waiting", "active", "progress", "completed", "failed", "delayed", "removed", "moved", "paused"]) {
      events.on(name, (args) => seen.push({ ...args, name }));
    }
    await events.waitUntilReady();
  },
  events: () => seen,
  async work({ name, fail }) {
    worker = new Worker(queueName, async (job) => {
      taken.push({ id: job.id, name: job.name, data: job.data, opts: job.opts });
      await job.updateProgress({ stage: "rendering", fraction: 0.5 });
      if (fail) throw new Error(fail);
      return { outputPath: "/v.mp4", duration: 1, frames: 30, size: 5, elapsed: 0.5 };
    }, { connection, name });
    await worker.waitUntilReady();
  },
  taken: () => taken,
  stopWork: () => worker.close(),
  state: ({ id }) => queue.getJobState(id),
  counts: () => queue.getJobCounts(),
  workers: async () => (await queue.getWorkers()).map((one) => one.rawname || one.name),
  async list({ status }) {
    if (!routes) board();
    const answer = await callBoard("get", "/api/queues", {}, { activeQueue: queueName, status, page: "1", jobsPerPage: "50" });
    if (!answer.body.queues) throw new Error(JSON.stringify(answer));
    return answer.body.queues[0];
  },
  retry: ({ id }) => callBoard("put", "/api/queues/:queueName/:jobId/retry", { jobId: id }),
  clean: ({ id }) => callBoard("put", "/api/queues/:queueName/:jobId/clean", { jobId: id }),
  promote: ({ id }) => callBoard("put", "/api/queues/:queueName/:jobId/promote", { jobId: id }),
  routes: () => (routes || (board(), routes)).map((one) => `${one.method} ${one.route}`),
};

readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const { command, ...args } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: (await commands[command](args)) ?? null };
  } catch (error) {
    answer = { error: String(error.stack || error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}).on("close", async () => {
  await Promise.allSettled([worker?.close(true), events?.close(), queue.close()]);
  process.exit(0);
});
