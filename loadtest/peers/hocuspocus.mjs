// A Hocuspocus as its documentation starts one: no extension, so that documents stay in memory.
import { Server } from "@hocuspocus/server";

const server = new Server({ address: "127.0.0.1", port: Number(process.env.PORT), quiet: true });
await server.listen();
console.log("ready");
