"""The command line: host commands run here, all others speak to a server through the client."""
