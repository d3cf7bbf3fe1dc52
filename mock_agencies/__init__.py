"""
Mock servers of the outside world: three agencies on their real wire formats, over one synthetic population.

Nothing here imports anything of the hub, or both would share the mistakes that these servers are there to show.
Every person, organization, address and key is made up.
"""
