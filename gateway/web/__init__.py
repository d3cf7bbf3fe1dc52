"""
The pages that people use: server-rendered, working without JavaScript, on a network that reaches no other host.
"""
