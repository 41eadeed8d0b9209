"""A gRPC client: ADDRESS TOKEN. It calls by every kind of method and says what came, one JSON text a line."""

import json
import sys
import threading

import grpc

address, token = sys.argv[1:3]
channel = grpc.insecure_channel(address)
mine = (("authorization", f"Bearer {token}"), ("x-user", "admin"))


def say(**said):
    print(json.dumps(said), flush=True)


def status(call):
    try:
        return [message.decode() for message in call()]
    except grpc.RpcError as error:
        return [error.code().name, error.details()]


def code(method, metadata):
    return status(lambda: [channel.unary_unary(method)(b"", metadata=metadata, timeout=20)])[0]


answer, call = channel.unary_unary("/shop.Orders/Place").with_call(b"lamp", metadata=mine, timeout=20)
say(unary=answer.decode(), head=dict(call.initial_metadata()).get("served-by"), trailer=dict(call.trailing_metadata()).get("cost"))
say(failed=status(lambda: [channel.unary_unary("/shop.Orders/Fail")(b"", metadata=mine, timeout=20)]))
say(counted=len(status(lambda: channel.unary_stream("/shop.Orders/Count")(b"1000", metadata=mine, timeout=20))))
say(added=status(lambda: [channel.stream_unary("/shop.Orders/Add")(iter([b"1", b"2", b"39"]), metadata=mine, timeout=20)]))

# Each message waits for the answer to the one before.
answered = threading.Semaphore(1)


def questions():
    for number in range(20):
        answered.acquire()
        yield str(number).encode()


echoed = []
for message in channel.stream_stream("/shop.Orders/Echo")(questions(), metadata=mine, timeout=20):
    echoed.append(message)
    answered.release()
say(echoed=len(echoed))

say(
    no_credential=code("/shop.Orders/Place", ()),
    not_allowed=code("/shop.Admin/Close", mine),
    nowhere=code("/shop.Nowhere/Place", mine),
    not_there=code("/shop.Gone/Place", mine),
    too_often=[code("/shop.Rare/Place", mine) for _ in range(2)][-1],
)

# A call whose requests do not end.
held = threading.Event()


def nothing():
    held.wait()
    yield b"0"


adding = channel.stream_unary("/shop.Orders/Add").future(nothing(), metadata=mine, timeout=20)
watching = channel.unary_stream("/shop.Orders/Watch")(b"", metadata=mine, timeout=20)
say(watching=next(watching).decode())
say(cut=[status(lambda: watching), status(lambda: [adding.result()])])
held.set()
