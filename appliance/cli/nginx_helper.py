"""`homeport nginx-helper`: what systemd starts as root when the appliance asks for NGINX."""

import click


@click.command("nginx-helper", hidden=True)
@click.pass_context
def nginx_helper(ctx: click.Context) -> None:
    """Answer one word on standard input. Started by systemd, not by hand."""
    from appliance.nginx.helper import main

    ctx.exit(main())
