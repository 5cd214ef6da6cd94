"""The documents of the API, one definition each: the store keeps them, the service gives them, the client reads them.

One module a noun. What a service answers may have more fields than are known here: they are ignored. What it is asked
may not: a field that nobody knows is a mistake of whoever asks.
"""
