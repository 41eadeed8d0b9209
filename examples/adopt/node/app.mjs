// Orders, for whoever asks.
import { createServer } from "node:http";

const server = createServer(async (request, response) => {
  response.end(request.method === "DELETE" ? "cancelled\n" : "your orders\n");
});
server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => console.log(server.address().port));
