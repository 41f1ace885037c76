// PostGraphile over one database, one process, on a free port that it prints.
//     node serve.mjs postgresql://...
// Version 4: the next one asks for Node.js 22.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";

const handler = postgraphile(process.argv[2], "public", {
  disableQueryLog: true,
  graphiql: false,
  dynamicJson: true,
});
const server = createServer(handler);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
