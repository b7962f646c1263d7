"""The blocks of a response, as the application makes them."""


def as_bytes(block: object, takes: str = 'the application must produce') -> bytes:
    """Return `block` as bytes: a copy of a bytearray or memoryview, which the application may change later.

    PEP 3333 has no other blocks than bytes, but most servers send these two, which can mean only one thing.
    """
    if isinstance(block, bytes):
        return block
    if isinstance(block, (bytearray, memoryview)):
        return bytes(block)
    raise TypeError(f'{takes} bytes, not {type(block).__name__}')
