// Speaks for OpenAI's own client in JavaScript, as its README shows it: one client with one key. The protocol is that of
// PROTOCOL.md; the package is found in the environment whose folder is the first argument.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { writeSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "package.json"));
const OpenAI = require("openai");
const { VERSION: version } = require("openai/version");

const GIVEN = ["id", "do", "provider", "base_url", "api_keys", "model", "max_retries", "read_timeout"];
const CLASSES = [
  [OpenAI.APIUserAbortError, "cancelled"],
  [OpenAI.APIConnectionTimeoutError, "timeout"],
  [OpenAI.APIConnectionError, "transport"],
  [OpenAI.AuthenticationError, "authentication"],
  [OpenAI.PermissionDeniedError, "permission"],
  [OpenAI.NotFoundError, "not_found"],
  [OpenAI.RateLimitError, "rate_limit"],
  [OpenAI.BadRequestError, "invalid_request"],
  [OpenAI.UnprocessableEntityError, "invalid_request"],
  [OpenAI.InternalServerError, "server"],
  [OpenAI.APIError, "server"], // without a status: an error event in a stream
];

let client;
let model = "";
const running = new Map();

const say = (id, answer) => {
  const line = Buffer.from(JSON.stringify({ id, ...answer }) + "\n");
  for (let sent = 0; sent < line.length; ) sent += writeSync(1, line, sent);
};

// What the README and the API reference promise; a signal that gives a call up is an option of every call.
const hello = () => ({
  protocol: 1,
  name: "openai",
  language: "JavaScript",
  versions: { openai: version, node: process.versions.node },
  claims: {
    openai: "chat stream embed retries timeouts cancel usage tools system seed stop json_schema".split(" "),
  },
});

const configure = (settings) => {
  client = new OpenAI({
    apiKey: settings.api_keys[0],
    baseURL: settings.base_url,
    maxRetries: settings.max_retries,
    timeout: settings.read_timeout === undefined ? undefined : settings.read_timeout * 1000,
  });
  model = settings.model;
  return { ignored: Object.keys(settings).filter((name) => !GIVEN.includes(name)) };
};

const asked = ({ messages, model: other, options: { max_tokens, tools, json_schema, ...options } = {} }) => ({
  model: other ?? model,
  messages,
  ...options,
  ...(max_tokens && { max_completion_tokens: max_tokens }),
  ...(tools && { tools: tools.map((tool) => ({ type: "function", function: tool })) }),
  ...(json_schema && {
    response_format: { type: "json_schema", json_schema: { name: "answer", schema: json_schema } },
  }),
});

const usage = (counted) =>
  counted && { input_tokens: counted.prompt_tokens, output_tokens: counted.completion_tokens ?? 0 };

const told = ({ choices: [choice], model, usage: counted }) => ({
  text: choice.message.content ?? "",
  model,
  finish_reason: choice.finish_reason,
  usage: usage(counted) ?? null,
  tool_calls: (choice.message.tool_calls ?? []).map(({ function: made }) => ({
    name: made.name,
    arguments: JSON.parse(made.arguments),
  })),
});

const chat = async (call, signal) => told(await client.chat.completions.create(asked(call), { signal }));

const stream = async (call, signal) => {
  const body = { ...asked(call), stream_options: { include_usage: true } };
  const run = client.chat.completions.stream(body, { signal });
  run.on("content", (text) => say(call.id, { event: { text } }));
  return told(await run.finalChatCompletion());
};

const embed = async (call, signal) => {
  const body = { input: call.texts, model: call.model ?? model };
  const reply = await client.embeddings.create(body, { signal });
  return { vectors: reply.data.map((item) => item.embedding), usage: usage(reply.usage), model: reply.model };
};

const cancel = ({ target }) => {
  running.get(target)?.abort();
  return {};
};

const explain = (error, doing) => {
  const [type, kind] = CLASSES.find(([type]) => error instanceof type) ?? [null, "other"];
  const unnamed = type === OpenAI.APIError && error.status !== undefined;
  const named = type === null && doing === "configure" ? "configuration" : kind;
  const told = { class: unnamed ? "other" : named, message: String(error.message), type: error.constructor.name };
  if (typeof error.status === "number") told.status = error.status;
  if (typeof error.code === "string") told.code = error.code;
  return told;
};

const commands = { hello, configure, chat, stream, embed, cancel, close: () => ({}) };

const lines = createInterface({ input: process.stdin });
lines.on("close", () => process.exit(0)); // the judge has gone; a client that waits for a retry would keep the process alive
lines.on("line", async (line) => {
  const command = JSON.parse(line);
  const controller = new AbortController();
  running.set(command.id, controller);
  try {
    say(command.id, { ok: await commands[command.do](command, controller.signal) });
  } catch (error) {
    say(command.id, { error: explain(error, command.do) });
  }
  running.delete(command.id);
  if (command.do === "close") process.exit(0);
});
