// This file is loaded into the Node.js programs of local pods. In a real cluster a pod has its own address, which can't
// be reached from outside. Here pods share this machine's address, so every program listens on 127.0.0.1 only.
const { Server } = require("node:net");
const HOST = "127.0.0.1";
const { listen } = Server.prototype;

Server.prototype.listen = function (first, ...rest) {
  if (typeof first === "object" && first !== null) {
    const elsewhere = first.path !== undefined || first.fd !== undefined || first.port === undefined;
    return Reflect.apply(listen, this, [elsewhere ? first : { ...first, host: HOST }, ...rest]);
  }
  if (typeof first === "function") return Reflect.apply(listen, this, [0, HOST, first, ...rest]);
  const isPort = first === undefined || first === null || (String(first).trim() !== "" && Number(first) >= 0);
  if (!isPort) return Reflect.apply(listen, this, [first, ...rest]);
  const others = typeof rest[0] === "string" || rest[0] === undefined || rest[0] === null ? rest.slice(1) : rest;
  return Reflect.apply(listen, this, [first ?? 0, HOST, ...others]);
};
