"""
The HTTP API: routes, models, problems and middleware.
"""
