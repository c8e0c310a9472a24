"""NGINX on this host: config text, pure, and putting it in force."""
