"""Runs a command again and again against servers whose certificate nobody trusts, and looks at how it ends.

    python3 tls_exit.py EMS CERTIFICATE KEY [ROUNDS]

A process that leaves while other threads are still in OpenSSL must not die of a signal: OpenSSL cleans up in an exit
handler. CERTIFICATE and KEY are PEM files; ROUNDS are 500 by default, half of them for MongoDB, half for RabbitMQ. What
comes out is TAP version 14; the exit status is 0 where every round ended with 69 and a message, 1 otherwise.
"""

import collections
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

SECONDS = 120
UNAVAILABLE = 69


def serve(certificate, key):
    """A server of TLS on a free port, which no client that checks certificates gets past."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def shake(connection):
        try:
            context.wrap_socket(connection, server_side=True).recv(1)
        except OSError:
            pass
        finally:
            connection.close()

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=shake, args=[connection], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def main(arguments):
    if len(arguments) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 64
    program, certificate, key = arguments[:3]
    rounds = int(arguments[3]) if len(arguments) == 4 else 500
    port = serve(certificate, key)
    mongodb = f"mongodb://127.0.0.1:{port}/?tls=true&serverSelectionTimeoutMS=200"
    rabbitmq = f"amqps://guest:guest@127.0.0.1:{port}/"
    commands = {
        "MongoDB": ({"MONGODB_URL": mongodb, "RABBITMQ_URL": rabbitmq}, ["event", "list"]),
        "RabbitMQ": ({"RABBITMQ_URL": rabbitmq}, ["broker", "dead", "list"]),
    }
    results = []
    print("TAP version 14\n1..2")
    for number, (name, (variables, words)) in enumerate(commands.items(), 1):
        endings = collections.Counter()
        with tempfile.TemporaryDirectory() as home:
            environment = {"PATH": os.environ["PATH"], "HOME": home, "SECRET_KEY": "k" * 32, "MONGOC_DISABLE_SHM": "1"}
            for _ in range(rounds // 2):
                ended = subprocess.run(
                    [program, *words], env=environment | variables, capture_output=True, text=True, timeout=SECONDS, check=False)
                said = "with a message" if ended.stderr.startswith("ems: ") else f"with {ended.stderr!r}"
                endings[f"{ended.returncode} {said}"] += 1
        is_right = endings == {f"{UNAVAILABLE} with a message": rounds // 2}
        results.append(is_right)
        print(f"{'ok' if is_right else 'not ok'} {number} - {name}: {rounds // 2} rounds ended so: {dict(endings)}", flush=True)
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
