# A Durable Object that answers "ping" by setWebSocketAutoResponse and says nothing else, on Cloudflare's own runtime.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .answering)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const answering :Workerd.Worker = (
  modules = [(name = "answering", esModule = embed "auto_response.mjs")],
  compatibilityDate = "2025-01-01",
  durableObjectNamespaces = [(className = "Room", uniqueKey = "wscheck")],
  durableObjectStorage = (inMemory = void),
  bindings = [(name = "rooms", durableObjectNamespace = "Room")],
);
