"""
The pages for people: server-rendered, usable without JavaScript and without access to any other host.
"""
