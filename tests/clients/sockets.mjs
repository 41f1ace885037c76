// The graphql-ws client against a server: node sockets.mjs URL KEY. Prints what it saw, as JSON.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, key] = process.argv.slice(2);
const address = url.replace(/^http/, "ws");
const PROTOCOL = "graphql-transport-ws";

const authorised = () => ({ authorization: `Bearer ${key}` });

function client(options = {}) {
  return createClient({
    url: address,
    webSocketImpl: WebSocket,
    connectionParams: authorised,
    retryAttempts: 0,
    ...options,
  });
}

async function all(iterable) {
  const found = [];
  for await (const each of iterable) found.push(each);
  return found;
}

async function subscribes() {
  const socket = client();
  const results = await all(socket.iterate({ query: "subscription { count(to: 3) }" }));
  await socket.dispose();
  return results.map((result) => result.data.count);
}

async function runsSideBySide() {
  const socket = client();
  const documents = ["{ hello }", "subscription { count(to: 2) }", "{ contextNumber }"];
  const results = await Promise.all(documents.map((query) => all(socket.iterate({ query }))));
  await socket.dispose();
  return results.map((each) => each.length);
}

async function stopsEarly() {
  const socket = client();
  let events = 0;
  for await (const _ of socket.iterate({ query: "subscription { ticks }" })) {
    if (++events === 3) break;
  }
  const after = await all(socket.iterate({ query: "{ hello }" }));
  await socket.dispose();
  return [events, after[0].data.hello];
}

async function pings() {
  let pongs = 0;
  const socket = client({
    keepAlive: 20,
    lazy: false,
    on: { pong: (received) => (pongs += received ? 1 : 0) },
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await socket.dispose();
  return pongs > 2;
}

async function tellsErrors() {
  const socket = client();
  try {
    await all(socket.iterate({ query: "{ nothing }" }));
  } catch (errors) {
    return errors[0].extensions.code;
  } finally {
    await socket.dispose();
  }
}

async function refusesStrangers() {
  const socket = client({ connectionParams: {} });
  try {
    await all(socket.iterate({ query: "{ hello }" }));
  } catch (event) {
    return event.code;
  }
}

// What a client would not send by itself goes over a bare WebSocket.
function closeCode(...messages) {
  return new Promise((resolve) => {
    const socket = new WebSocket(address, PROTOCOL);
    socket.on("open", () => messages.forEach((each) => socket.send(each)));
    socket.on("close", (code) => resolve(code));
  });
}

const init = JSON.stringify({ type: "connection_init", payload: authorised() });
const subscribe = JSON.stringify({
  type: "subscribe",
  id: "1",
  payload: { query: "subscription { ticks }" },
});

console.log(
  JSON.stringify({
    subscribes: await subscribes(),
    sideBySide: await runsSideBySide(),
    stopsEarly: await stopsEarly(),
    pings: await pings(),
    error: await tellsErrors(),
    stranger: await refusesStrangers(),
    closeCodes: {
      malformed: await closeCode(init, "null"),
      array: await closeCode(init, "[]"),
      binary: await closeCode(init, Buffer.from("{}")),
      beforeInit: await closeCode(subscribe),
      tooLate: await closeCode(),
      twice: await closeCode(init, subscribe, subscribe),
      secondInit: await closeCode(init, init),
      tooLarge: await closeCode(init, "x".repeat(2 * 1024 * 1024)),
    },
  })
);
