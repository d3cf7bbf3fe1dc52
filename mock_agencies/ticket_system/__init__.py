"""
A ticket system as a court has one: dispatches work orders, asks for their forms, closes some halfway, takes callbacks.

It calls the hub by the client library that case systems get (`shuniu_client`), which imports nothing of the hub's.
"""
