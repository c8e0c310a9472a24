"""Which program built a site, and what it calls the folder that a site is served from."""

from typing import NamedTuple

from appliance.model.manifests import Manifest


class _Known(NamedTuple):
    name: str
    meta: str  # how it names itself in `<meta name=generator>`, in small letters
    folders: tuple[str, ...]  # folders or files at the top that only it makes
    base: str  # where the base path is set


_ALL = (
    _Known("Next.js", "next.js", ("_next/static/",), "`basePath` in next.config.js"),
    _Known("Nuxt", "nuxt", ("_nuxt/",), "`app.baseURL` in nuxt.config.ts"),
    _Known("Gatsby", "gatsby", ("page-data/", "webpack.stats.json"), "`pathPrefix` in gatsby-config.js"),
    _Known("Astro", "astro", ("_astro/",), "`base` in astro.config.mjs"),
    _Known("SvelteKit", "sveltekit", ("_app/immutable/",), "`kit.paths.base` in svelte.config.js"),
    _Known("VitePress", "vitepress", ("hashmap.json", "vp-icons.css"), "`base` in .vitepress/config"),
    _Known("Docusaurus", "docusaurus", (), "`baseUrl` in docusaurus.config.js"),
    _Known("MkDocs", "mkdocs", (), "`site_url` in mkdocs.yml"),
    _Known("Zensical", "zensical", (), "`site_url` in zensical.toml"),
    _Known("Sphinx", "sphinx", ("_static/documentation_options.js", "objects.inv"), "`html_baseurl` in conf.py"),
    _Known("Hugo", "hugo", (), "`baseURL` in hugo.toml"),
    _Known("Jekyll", "jekyll", (), "`baseurl` in _config.yml"),
    _Known("Eleventy", "eleventy", (), "`pathPrefix` in the Eleventy config"),
    _Known("Hexo", "hexo", (), "`root` in _config.yml"),
    _Known("Zola", "zola", (), "`base_url` in config.toml"),
    _Known("Pelican", "pelican", (), "`SITEURL` in publishconf.py"),
    _Known("Quarto", "quarto", ("site_libs/quarto-html/",), "`site-url` in _quarto.yml"),
    _Known("mdBook", "mdbook", ("book.js", "toc.js"), "`site-url` in book.toml"),
    _Known("Flutter", "flutter", ("flutter_bootstrap.js", "flutter.js"), "`--base-href` of `flutter build web`"),
    _Known("Angular", "angular", (), "`--base-href` of `ng build`"),
)
_VITE = "`base` in vite.config"


def by_meta(said: str) -> str:
    """The name that a page gives, with its version where it has one."""
    known = any(one.meta in said.lower() for one in _ALL)
    return said if known else said.partition(",")[0][:60]


def by_files(manifest: Manifest) -> str:
    tops = {path.partition("/")[0] for path in manifest}
    for one in _ALL:
        for mark in one.folders:
            if mark in manifest or (mark.partition("/")[0] in tops and any(path.startswith(mark) for path in manifest)):
                return one.name
    if ".vite/manifest.json" in manifest or _looks_like_vite(manifest):
        return "Vite"
    return ""


def where_base_is_set(generator: str) -> str:
    said = generator.lower()
    if said == "vite":
        return _VITE
    return next(
        (one.base for one in _ALL if one.meta in said or one.name.lower() in said), "the base path of the build"
    )


def _looks_like_vite(manifest: Manifest) -> bool:
    entry = any(path.startswith("assets/index-") and path.endswith(".js") for path in manifest)
    return entry and "index.html" in manifest
