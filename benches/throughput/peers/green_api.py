"""GREEN-API's own receiver with a handler that stores nothing."""

import sys

from whatsapp_api_webhook_server_python.webhooksHandler import startServer


# The function becomes a method of the handler.
def on_event(handler, type_webhook, body):
    pass


startServer("127.0.0.1", int(sys.argv[1]), on_event)
