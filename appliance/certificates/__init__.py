"""Where certificates come from: ACME, an authority of our own, or whoever uploads one.

Plug-ins: they know the model and the machine only.
"""
