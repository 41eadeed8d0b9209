"""A gRPC service, which says the port it listens on. Its messages are bytes."""

import sys
import time
from concurrent import futures

import grpc


def place(request, context):
    told = dict(context.invocation_metadata())
    context.send_initial_metadata((("served-by", "orders"),))
    context.set_trailing_metadata((("cost", "7"),))
    return b"|".join([request, told.get("authorization", "").split(" ")[0].encode(), told.get("x-user", "nobody").encode()])


def fail(request, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the shop is closed: 100 %")


def count(request, context):
    for number in range(int(request)):
        yield str(number).encode()


def add(requests, context):
    return str(sum(int(request) for request in requests)).encode()


def echo(requests, context):
    for request in requests:
        yield request


def watch(request, context):
    yield b"watching"
    while context.is_active():
        time.sleep(0.05)


ANY = {
    "Place": grpc.unary_unary_rpc_method_handler(place),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
    "Count": grpc.unary_stream_rpc_method_handler(count),
    "Add": grpc.stream_unary_rpc_method_handler(add),
    "Echo": grpc.stream_stream_rpc_method_handler(echo),
    "Watch": grpc.unary_stream_rpc_method_handler(watch),
}

server = grpc.server(futures.ThreadPoolExecutor(16))
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Orders", ANY)])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(None)
