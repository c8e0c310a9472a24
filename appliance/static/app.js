// Makes the pages prompt. Every one of them works without this file.
(() => {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, selector, act) =>
    document.addEventListener(type, (event) => {
      const found = event.target instanceof Element && event.target.closest(selector);
      if (found) act(found, event);
    });
  const ahead = Date.parse(document.documentElement.dataset.now) - Date.now(); // the server's clock is the one that counts
  const now = () => Date.now() + ahead;
  const icon = (name, tone = "") =>
    Object.assign(document.createElement("template"), {
      innerHTML: `<svg class="icon ${tone}" aria-hidden="true"><use href="#${name}"/></svg>`,
    }).content.firstChild;

  // ---------------------------------------------------------------- words

  const number = (count) => count.toLocaleString("en-US");
  const many = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

  function size(bytes) {
    let value = bytes;
    for (const unit of ["B", "kB", "MB", "GB", "TB"]) {
      if (Math.round(value) < 1000 || unit === "TB")
        return `${unit !== "B" && value < 99.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
      value /= 1000;
    }
  }

  function duration(seconds) {
    if (seconds < 0.095) return seconds < 0.005 ? "<0.01 s" : `${seconds.toFixed(2)} s`;
    if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
    const whole = Math.round(seconds);
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min` + (whole % 60 ? ` ${whole % 60} s` : "");
    return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
  }

  function stopwatch(seconds) {
    const whole = Math.max(Math.floor(seconds), 0);
    const two = (part) => String(part).padStart(2, "0");
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  }

  function ago(seconds) {
    if (seconds < 5) return "just now";
    if (seconds < 60) return `${Math.floor(seconds)} s ago`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 86400) return `${many(Math.floor(seconds / 3600), "hour")} ago`;
    return seconds < 172800 ? "yesterday" : null;
  }

  function say(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function tick() {
    for (const element of $$("[data-since]")) {
      const seconds = (now() - Date.parse(element.dataset.since)) / 1000;
      say(element, "tenths" in element.dataset ? duration(seconds) : stopwatch(seconds));
    }
    for (const element of $$("time[data-ago]")) {
      const words = ago((now() - Date.parse(element.dateTime)) / 1000);
      if (words) say(element, words);
    }
  }
  setInterval(tick, 1000);

  // ---------------------------------------------------------------- toasts

  function toast(text, tone = "failed") {
    const box = document.createElement("div");
    box.className = "toast";
    const words = document.createElement("div");
    words.textContent = text;
    const close = document.createElement("button");
    close.className = "quiet small icon-only";
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.dataset.close = "";
    close.append(icon("close"));
    box.append(icon(tone, tone), words, close);
    $(".toasts").append(box);
  }

  // Good news leaves by itself and waits for the pointer; trouble stays until it is closed.
  function leave(box) {
    let left = setTimeout(() => box.remove(), 4000);
    box.addEventListener("pointerenter", () => clearTimeout(left));
    box.addEventListener("pointerleave", () => (left = setTimeout(() => box.remove(), 1500)));
  }
  $$(".toast").forEach(leave);
  on("click", "[data-close]", (button) => button.closest(".toast").remove());

  // ---------------------------------------------------------------- copy, show, theme

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without https there is no clipboard to write to but the old one.
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "sr";
      (button.closest("dialog") ?? document.body).append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      button.focus();
      if (!done) return toast("The browser did not let it be copied. Select it and copy by hand.");
    }
    const words = $("span", button);
    const before = (button.dataset.before ??= words.textContent);
    button.style.inlineSize = `${button.offsetWidth}px`;
    words.textContent = "Copied";
    setTimeout(() => {
      words.textContent = before;
      button.style.inlineSize = "";
    }, 1600);
  }
  on("click", "[data-copy]", (button) => {
    const from = $(button.dataset.copy);
    copy(from.value ?? from.textContent, button);
  });
  on("click", "[data-copy-log]", (button) => {
    const lines = $$("li", button.closest(".log")).filter((line) => line.offsetParent);
    copy(lines.map((line) => $$("time, i, span", line).map((part) => part.textContent).join("  ")).join("\n") + "\n", button);
  });

  on("click", "[data-show]", (button) => {
    const input = $(button.dataset.show);
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    say(button, shown ? "Hide" : "Show");
    button.setAttribute("aria-pressed", shown);
  });

  on("submit", "[data-theme-form]", async (form, event) => {
    event.preventDefault();
    const theme = event.submitter.value;
    await fetch(form.action, { method: "POST", body: new URLSearchParams({ theme }), redirect: "manual" });
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    $('meta[name="color-scheme"]').content = theme === "system" ? "light dark" : theme;
    for (const button of $$("button", form)) button.setAttribute("aria-pressed", button === event.submitter);
  });

  // ---------------------------------------------------------------- forms

  // The pressed button keeps its width and says that it waits.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (event.defaultPrevented || !button || event.target.method !== "post") return;
    if (event.target.ariaBusy === "true") return event.preventDefault(); // once is enough
    event.target.ariaBusy = "true";
    button.classList.add("htmx-request");
  });
  addEventListener("pageshow", () => $$("form[aria-busy]").forEach((form) => form.removeAttribute("aria-busy")));

  const summary = $("[data-focus]");
  if (summary) summary.focus();

  // The bar says what has changed and is not saved.
  function unsaved(form) {
    const changed = [...form.elements].filter((field) => {
      if (!field.name || field.type === "hidden" || field.type === "search") return false;
      if (field.type === "checkbox") return field.checked !== field.defaultChecked;
      if (field.type === "radio") return field.checked && !field.defaultChecked;
      if (field.options) return [...field.options].some((one) => one.selected !== one.defaultSelected) && field.dataset.was !== field.value;
      return field.value !== field.defaultValue;
    });
    const bar = $(".savebar", form);
    bar.classList.toggle("dirty", changed.length > 0);
    say($(".changed", bar), changed.length ? many(changed.length, "unsaved change") : "");
    say($(".which", bar), changed.map(named).join(", "));
    return changed.length > 0;
  }
  function named(field) {
    const legend = field.type === "radio" && $("legend", field.closest("fieldset"));
    return (legend || field.labels[0]).textContent;
  }
  for (const form of $$("[data-save]")) {
    for (const select of $$("select", form)) select.dataset.was = select.value;
    form.addEventListener("input", () => unsaved(form));
    form.addEventListener("reset", () => setTimeout(() => unsaved(form)));
    unsaved(form);
    if (form.closest("main").querySelector(".error-summary")) $(".savebar", form).classList.add("dirty");
  }
  addEventListener("beforeunload", (event) => {
    const dirty = $$("[data-save]").some((form) => form.ariaBusy !== "true" && unsaved(form));
    if (dirty || sending) event.preventDefault();
  });

  // ---------------------------------------------------------------- questions: a page without script, a dialog with

  on("click", "a[data-dialog]", async (link, event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    link.closest("[popover]")?.hidePopover();
    const asked = await page(link.href).catch(() => null);
    const found = asked && $("main > dialog", asked);
    if (!found) return location.assign(link.href);
    const dialog = document.importNode(found, true);
    dialog.removeAttribute("open");
    $("#dialog").replaceChildren(dialog);
    htmx.process(dialog);
    dialog.addEventListener("close", () => {
      dialog.remove();
      (link.offsetParent ? link : $(`[popovertarget="${link.closest("[popover]")?.id}"]`))?.focus();
    });
    dialog.showModal();
  });
  on("click", "#dialog [data-dismiss]", (link, event) => {
    event.preventDefault();
    link.closest("dialog").close();
  });
  on("change", "[data-act]", (choice) => say($("[data-says]", choice.form), choice.dataset.act));

  async function page(address) {
    const answer = await fetch(address, { headers: { Accept: "text/html", "HX-Request": "true" } });
    if (answer.redirected && new URL(answer.url).pathname === "/login") location.reload();
    if (!answer.ok) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  document.addEventListener("htmx:after:request", (event) => {
    const raw = event.detail.ctx.response?.raw;
    if (raw?.redirected && new URL(raw.url).pathname === "/login") location.reload();
  });
  document.addEventListener("htmx:response:error", () => toast("That did not work. Reload the page and try again."));
  document.addEventListener("htmx:before:request", (event) => {
    const source = event.detail.ctx.sourceElement;
    const words = source.dataset.waits;
    const button = source.matches("button") ? source : $("button", source);
    if (!words || !button) return;
    button.style.inlineSize = `${button.offsetWidth}px`;
    const before = button.textContent;
    button.textContent = words;
    source.addEventListener("htmx:finally:request", () => {
      button.textContent = before;
      button.style.inlineSize = "";
    }, { once: true });
  });

  // ---------------------------------------------------------------- live: the smallest thing whose words changed

  const kept = new Set(["open", "data-htmx-powered", "aria-busy"]);

  function alike(a, b) {
    if (a.nodeName !== b.nodeName || a.childNodes.length !== b.childNodes.length) return false;
    const names = (node) => node.getAttributeNames().filter((name) => !kept.has(name));
    return names(a).length === names(b).length && names(a).every((name) => a.getAttribute(name) === b.getAttribute(name));
  }

  // Makes `old` say what `fresh` says, and leaves alone what someone is using.
  function sync(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType === Node.TEXT_NODE && fresh.nodeType === Node.TEXT_NODE) {
      old.data = fresh.data;
    } else if (old.nodeName === "PROGRESS" && fresh.nodeName === "PROGRESS") {
      old.max = fresh.max;
      old.value = fresh.value;
    } else if (old.nodeType === Node.ELEMENT_NODE && alike(old, fresh)) {
      const pairs = [...old.childNodes].map((child, place) => [child, fresh.childNodes[place]]);
      for (const [child, other] of pairs) sync(child, other);
    } else if (old.nodeType !== Node.ELEMENT_NODE || !inUse(old)) {
      const copy = document.importNode(fresh, true);
      old.replaceWith(copy);
      if (copy.nodeType === Node.ELEMENT_NODE) htmx.process(copy);
    }
  }

  const inUse = (element) => element.contains(document.activeElement) || $(":popover-open", element) !== null;

  // Rows change their words in place; new ones wait behind a link, never under the pointer.
  function syncRows(old, fresh) {
    let news = 0;
    for (const row of fresh.children) {
      const mine = row.id && document.getElementById(row.id);
      if (mine) sync(mine, row);
      else news += 1;
    }
    return news;
  }

  function syncBox(old, fresh) {
    if (old.children.length === fresh.children.length) {
      [...old.children].forEach((child, place) => sync(child, fresh.children[place]));
      for (const [place, child] of [...old.childNodes].entries())
        if (child.nodeType === Node.TEXT_NODE && fresh.childNodes[place]?.nodeType === Node.TEXT_NODE) sync(child, fresh.childNodes[place]);
    } else if (!inUse(old)) {
      old.replaceChildren(...document.importNode(fresh, true).childNodes);
      htmx.process(old);
    }
  }

  function reshape(fresh) {
    const old = $("#body");
    const next = $("#body", fresh);
    if (!old || !next || old.dataset.shape === next.dataset.shape) return;
    const log = $("#log-panel");
    const before = log.getBoundingClientRect().top;
    old.replaceWith(document.importNode(next, true));
    htmx.process($("#body"));
    if (scrollY > 160) scrollBy(0, $("#log-panel").getBoundingClientRect().top - before);
    startLog();
  }

  async function refresh() {
    const fresh = await page(location.href);
    let news = 0;
    for (const old of $$("[data-live]")) {
      const next = old.id && fresh.getElementById(old.id);
      if (!next) continue;
      if (old.dataset.live === "rows") news += syncRows(old, next);
      else syncBox(old, next);
    }
    document.title = fresh.title;
    reshape(fresh);
    const link = $("[data-news]");
    if (link && news) {
      say(link, `${number(news)} new`);
      link.hidden = false;
    }
    tick();
  }

  // At most one look at a time, and one more if something happened meanwhile.
  let looking = false;
  let again = false;
  async function look() {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    do {
      again = false;
      await refresh().catch(() => {});
      await new Promise((done) => setTimeout(done, 120));
    } while (again);
    looking = false;
  }

  function concerns(what) {
    const topic = $("#main").dataset.topic;
    if (!topic) return true;
    const [kind, name] = [topic.slice(0, topic.indexOf(":")), topic.slice(topic.indexOf(":") + 1)];
    if (kind === "deployment") return what.deployment === name;
    if (kind === "environment") return !what.environment ? what.project === name.split("/")[0] : `${what.project}/${what.environment}` === name;
    return what.project === name;
  }

  // One stream a page: what has changed, and the lines of the log that it follows. A hidden tab lets go of it,
  // because a browser has few connections to give; what it missed is told when it is back.
  let stream = null;
  let seen = document.documentElement.dataset.seen;

  function connect() {
    const panel = $("#log-panel[data-follow]");
    if (stream || !(panel || $("[data-live]"))) return;
    stream = new EventSource(panel ? `/events?log=${panel.dataset.follow}&after=${panel.dataset.end}` : "/events");
    stream.addEventListener("changed", (event) => concerns(JSON.parse(event.data)) && look());
    stream.addEventListener("seen", (event) => {
      if (event.data !== seen) look();
      seen = event.data;
    });
    stream.addEventListener("error", () => (seen = null));
    if (panel) follow(panel, stream);
  }

  function disconnect() {
    stream?.close();
    stream = null;
    seen = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => event.persisted && connect());

  // ---------------------------------------------------------------- log

  // Colours, titles and cursor moves are a terminal's business; the page shows the words.
  const TERMINAL = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?/g;
  const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

  function logLine(line, days) {
    const item = document.createElement("li");
    item.id = `L${line.number}`;
    if (line.level !== "info") item.className = line.level;
    const link = document.createElement("a");
    link.href = `#L${line.number}`;
    link.textContent = line.number;
    link.setAttribute("aria-label", `Line ${line.number}`);
    const at = days ? `${line.at.slice(0, 10)} ${line.at.slice(11, 19)}` : line.at.slice(11, 23);
    const parts = [["time", at], ["i", line.step], ["span", line.text.replace(TERMINAL, "").replace(CONTROL, "\ufffd")]];
    item.append(link, ...parts.map(([name, text]) => Object.assign(document.createElement(name), { textContent: text })));
    const mark = { warn: "Warning: ", error: "Error: " }[line.level];
    if (mark) item.lastChild.prepend(mark);
    return item;
  }

  function startLog() {
    const panel = $("#log-panel");
    if (!panel) return;
    const view = $(".view", panel);
    const list = $("ol", panel);
    const first = $("li.error", list);
    if (first && !location.hash) view.scrollTop = first.offsetTop - view.offsetTop - 48;
  }

  function follow(panel, stream) {
    const [where, list, find] = [$(".where", panel), $("ol", panel), $(".search input", panel)];
    const days = "days" in panel.dataset;
    let waiting = [];
    const lines = () => many(Number(panel.dataset.total), "line");
    const state = (glyph, words) => {
      const status = document.createElement("span");
      status.className = `status ${glyph}`;
      status.append(icon(glyph), words);
      where.replaceChildren(status);
    };
    const flush = () => {
      list.append(...waiting.map((line) => logLine(line, days)));
      waiting = [];
      if (panel.dataset.follow && stream.readyState === EventSource.OPEN) state("running", `Following, ${lines()}`);
      if (find?.value) find.dispatchEvent(new Event("input", { bubbles: true }));
    };
    stream.addEventListener("line", (event) => {
      const line = JSON.parse(event.data);
      if (line.number <= Number(panel.dataset.end)) return;
      panel.dataset.end = line.number;
      panel.dataset.total = Number(panel.dataset.total) + 1;
      if (waiting.push(line) === 1) requestAnimationFrame(flush);
    });
    stream.addEventListener("open", () => panel.dataset.follow && state("running", `Following, ${lines()}`));
    stream.addEventListener("error", () => panel.dataset.follow && state("queued", `Reconnecting, ${lines()} so far`));
    stream.addEventListener("end", () => {
      delete panel.dataset.follow;
      flush();
      where.textContent = `Ended, ${lines()}`;
      look();
    });
  }

  // Find: marks by the Highlight API, so that the lines themselves stay as they are.
  let hits = [];
  let hit = -1;
  on("input", ".log .search input", (input) => {
    const text = input.value.toLowerCase();
    const panel = input.closest(".log");
    hits = [];
    hit = -1;
    if (text)
      for (const words of $$("li > span", panel)) {
        const node = document.createTreeWalker(words, NodeFilter.SHOW_TEXT);
        while (node.nextNode()) {
          const low = node.currentNode.data.toLowerCase();
          for (let at = low.indexOf(text); at >= 0; at = low.indexOf(text, at + text.length)) {
            const range = new Range();
            range.setStart(node.currentNode, at);
            range.setEnd(node.currentNode, Math.min(at + text.length, node.currentNode.length));
            hits.push(range);
          }
        }
      }
    if (CSS.highlights) CSS.highlights.set("found", new Highlight(...hits));
    if (hits.length) step(panel, 1);
    else say($(".hits", panel), text ? "Not in the log" : "");
  });
  on("keydown", ".log .search input", (input, event) => {
    if (event.key !== "Enter" || !hits.length) return;
    event.preventDefault();
    step(input.closest(".log"), event.shiftKey ? -1 : 1);
  });

  function step(panel, by) {
    hit = (hit + by + hits.length) % hits.length;
    if (CSS.highlights) CSS.highlights.set("here", new Highlight(hits[hit]));
    const line = hits[hit].startContainer.parentElement.closest("li");
    const view = $(".view", panel);
    const box = $('[name="follow"]', panel);
    if (box?.checked) box.checked = false;
    view.scrollTop += line.getBoundingClientRect().top - view.getBoundingClientRect().top - view.clientHeight / 3;
    say($(".hits", panel), `${number(hit + 1)} of ${number(hits.length)} found`);
  }

  on("click", "[data-full]", (button) => {
    const full = button.closest(".log").classList.toggle("full");
    button.setAttribute("aria-pressed", full);
    button.setAttribute("aria-label", full ? "Leave full screen" : "Full screen");
  });
  document.addEventListener("keydown", (event) => {
    const full = event.key === "Escape" && $(".log.full [data-full]");
    if (full) full.click();
  });

  // ---------------------------------------------------------------- deploy: drop, send, cancel

  let sending = null;
  const form = $("form[data-drop]");

  function aim(target, words) {
    const zone = $(".drop", form);
    zone.classList.add("over");
    say($("label", zone), `Let go to deploy to ${words}`);
    zone.dataset.to = target;
    zone.dataset.toWords = words;
  }

  function here() {
    const field = form.elements.target;
    const words = field.dataset.words ?? (field.options ? field.selectedOptions[0].text : "");
    return [field.value, field.value ? words : "a new project, named after it"];
  }

  function release() {
    for (const row of $$("tr.over")) row.classList.remove("over");
    const zone = $(".drop", form);
    zone.classList.remove("over");
    say($("label", zone), zone.dataset.label);
    if (form.classList.contains("anywhere") && !sending) form.hidden = true;
  }

  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");

  if (form) {
    const zone = $(".drop", form);
    zone.dataset.label = $("label", zone).textContent;
    document.addEventListener("dragover", (event) => {
      if (!carriesFile(event) || sending) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      form.hidden = false;
      for (const row of $$("tr.over")) row.classList.remove("over");
      const row = event.target.closest?.("[data-target]");
      if (row) {
        row.classList.add("over");
        aim(row.dataset.target, row.dataset.targetWords);
      } else aim(...here());
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) release();
    });
    document.addEventListener("drop", (event) => {
      if (!carriesFile(event) || sending) return;
      event.preventDefault();
      const { to, toWords } = zone.dataset;
      const dropped = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
      release();
      if (dropped.length === 1 && dropped[0].isDirectory) dropFolder(dropped[0], to, toWords);
      else send(event.dataTransfer.files, to, toWords);
    });
    on("click", "[data-folder]", () => {
      const input = Object.assign(document.createElement("input"), { type: "file", webkitdirectory: true });
      input.addEventListener("change", () => {
        const top = input.files[0]?.webkitRelativePath.split("/")[0];
        sendFolder(top, [...input.files].map((file) => [file.webkitRelativePath.slice(top.length + 1), file]), ...here());
      });
      input.click();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form.elements.bundle.files, ...here());
    });
  }

  function refused(title, html = "") {
    const box = $(".refused", form);
    const notice = document.createElement("div");
    notice.className = "notice bad";
    const words = document.createElement("div");
    const line = document.createElement("p");
    line.append(Object.assign(document.createElement("strong"), { textContent: title }), html && ` ${html}`);
    words.append(line);
    notice.append(icon("failed"), words);
    box.replaceChildren(notice);
    form.hidden = false;
  }

  function send(files, target, words) {
    const file = files[0];
    const most = Number($(".drop", form).dataset.most);
    $(".refused", form).replaceChildren();
    if (!file) return;
    if (files.length > 1) return refused("Several files were dropped.", "Drop the one folder that holds them, or one zip.");
    if (!/\.zip$/i.test(file.name)) return refused(`${file.name} was not taken: it is no zip.`, "Zip the folder that your build writes, such as dist.");
    if (file.size > most) return refused(`${file.name} was not taken: it is ${size(file.size)}, and this host takes at most ${$(".drop", form).dataset.mostWords}.`);
    upload(file, target, words);
  }

  // The drop zone says how far it is, until it is over.
  function begin(name, words) {
    const zone = $(".drop", form);
    const busy = $("template", form).content.firstElementChild.cloneNode(true);
    const began = performance.now();
    say($("label", busy), name);
    say($(".to", busy), `to ${words}`);
    zone.replaceWith(busy);
    form.hidden = false;
    $("button", busy).addEventListener("click", () => sending.abort());
    $("button", busy).focus();
    return {
      output: (text) => say($("output", busy), text),
      left: (text) => say($(".left", busy), text),
      show(done, all) {
        const seconds = (performance.now() - began) / 1000;
        const rate = done / Math.max(seconds, 0.05);
        $("progress", busy).value = all ? Math.floor((done / all) * 100) : 100;
        return (seconds > 1 ? `about ${duration(Math.ceil((all - done) / rate))} left, ` : "") + `${size(rate)}/s`;
      },
      over() {
        sending = null;
        busy.replaceWith(zone);
        form.elements.bundle.value = "";
      },
    };
  }

  function upload(file, target, words) {
    const box = begin(file.name, words);
    const body = new FormData();
    body.set("target", target);
    body.set("bundle", file, file.name);
    sending = new XMLHttpRequest();
    sending.upload.addEventListener("progress", (event) => {
      const left = box.show(event.loaded, event.total);
      box.output(`${size(event.loaded)} of ${size(event.total)}, ${Math.floor((event.loaded / event.total) * 100)}%`);
      box.left(event.loaded < event.total ? left : "Arrived. Looking into it…");
    });
    sending.addEventListener("load", () => {
      const answer = sending;
      const where = answer.getResponseHeader("HX-Redirect");
      if (where) {
        sending = null;
        return location.assign(where);
      }
      box.over();
      if (new URL(answer.responseURL).pathname === "/login") return location.assign("/login");
      notTaken(file.name, answer.status, answer.responseText);
    });
    sending.addEventListener("error", () => {
      box.over();
      lost(file.name);
    });
    sending.addEventListener("abort", box.over);
    sending.open("POST", form.action);
    sending.setRequestHeader("HX-Request", "true");
    sending.send(body);
  }

  function notTaken(name, status, html) {
    $(".refused", form).innerHTML = html; // our own words, escaped where they were written
    if (!$(".refused .notice", form)) refused(`${name} was not taken.`, `The answer was ${status}. Nothing was changed.`);
  }

  const lost = (name) => refused(`${name} did not arrive.`, "The connection was lost. What is live stays live; try again.");

  // ---------------------------------------------------------------- a folder: hashed here, and only what is missing is sent

  const SCATTERED = /(^|\/)(\.(git|hg|svn|bzr|jj)|__MACOSX|\.DS_Store|Thumbs\.db)(\/|$)/; // the server would leave it out, too

  async function dropFolder(entry, target, words) {
    const found = [];
    const inside = (folder, path) =>
      new Promise((resolve, reject) => {
        const reader = folder.createReader();
        const more = () =>
          reader.readEntries(async (those) => {
            if (!those.length) return resolve();
            for (const one of those) {
              const name = path + one.name;
              if (SCATTERED.test(name)) continue;
              if (one.isDirectory) await inside(one, `${name}/`).catch(reject);
              else found.push([name, await new Promise((done, no) => one.file(done, no)).catch(reject)]);
            }
            more();
          }, reject);
        more();
      });
    try {
      await inside(entry, "");
    } catch {
      return refused(`${entry.name} can't be read.`, "The browser was not let at all of its files.");
    }
    sendFolder(entry.name, found, target, words);
  }

  async function sendFolder(name, found, target, words) {
    found = found.filter(([path]) => !SCATTERED.test(path));
    $(".refused", form).replaceChildren();
    if (!found.length) return refused(`${name ?? "The folder"} was not taken: there is no file in it.`, "Choose the folder that your build writes, such as dist.");
    const box = begin(name, words);
    const worker = new Worker(form.dataset.hashing);
    const abort = new AbortController();
    sending = {
      abort() {
        worker.terminate();
        abort.abort();
        box.over();
      },
    };
    const all = found.reduce((sum, [, file]) => sum + file.size, 0);
    let sum = 0;
    let told;
    const answer = (message) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => {
          if (data.hashing !== undefined) box.left(box.show(data.hashing, all));
          else if (data.sending !== undefined) box.left(data.sending < sum ? box.show(data.sending, sum) : "Arrived. Looking into it…");
          else if (data.failed !== undefined) reject(data);
          else resolve(data);
        };
        worker.onerror = () => reject({ failed: { detail: "This browser can't hash files. Zip the folder, and drop the zip." } });
        worker.postMessage(message);
      });
    try {
      box.output(`Reading ${many(found.length, "file")}, ${size(all)}`);
      const { hashed } = await answer({ files: found.map(([, file]) => file) });
      const files = Object.fromEntries(found.map(([path, file], at) => [path, [hashed[at], file.size]]));
      for (let round = 0; round < 12; round++) {
        box.left(round ? "Arrived. Looking into it…" : "Asking what is new…");
        told = await ask({ target, name, files }, abort.signal);
        if (told.status !== 409 || !told.problem?.missing) break;
        const missing = new Set(told.problem.missing);
        const sizes = new Map(found.map(([, file], at) => [hashed[at], file.size]));
        sum = [...missing].reduce((total, one) => total + (sizes.get(one) ?? 0), 0);
        box.output(`${number(missing.size)} of ${many(found.length, "file")} ${missing.size === 1 ? "is" : "are"} new: sending ${size(sum)}`);
        await answer({ missing: [...missing] });
      }
      worker.terminate();
      if (told.where) {
        sending = null;
        return location.assign(told.where);
      }
      box.over();
      notTaken(name, told.status, told.html);
    } catch (why) {
      worker.terminate();
      if (abort.signal.aborted) return;
      box.over();
      if (why.unreadable) refused(`${name} can't be read: ${why.unreadable} changed or went away.`, "Let the build end, then drop the folder again.");
      else if (why.failed) refused(`${name} was not taken.`, [why.failed.detail, ...(why.failed.todo ?? [])].join(" "));
      else lost(name);
    }
  }

  async function ask(body, signal) {
    const headers = { "Content-Type": "application/json", "HX-Request": "true", Accept: "application/json" };
    let data = new Blob([JSON.stringify(body)]);
    if (self.CompressionStream) {
      data = await new Response(data.stream().pipeThrough(new CompressionStream("gzip"))).blob();
      headers["Content-Encoding"] = "gzip";
    }
    const response = await fetch("/deploy/files", { method: "POST", headers, body: data, signal });
    if (response.redirected && new URL(response.url).pathname === "/login") location.assign("/login");
    const isProblem = response.headers.get("Content-Type")?.includes("json");
    return {
      status: response.status,
      where: response.headers.get("HX-Redirect"),
      problem: isProblem ? await response.json() : null,
      html: isProblem ? "" : await response.text(),
    };
  }

  // ---------------------------------------------------------------- API docs: try it

  on("submit", "[data-try]", async (form, event) => {
    event.preventDefault();
    let path = form.dataset.path;
    const query = new URLSearchParams();
    const options = { method: form.dataset.method, headers: {} };
    for (const field of $$("[data-in]", form)) {
      if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
      if (field.dataset.in === "query" && field.value) query.set(field.name, field.value);
      if (field.dataset.in === "header" && field.value) options.headers[field.name] = field.value;
      if (field.dataset.in === "body" && field.value.trim()) {
        options.body = field.value;
        options.headers["Content-Type"] = "application/json";
      }
      if (field.dataset.in === "file" && field.files[0]) {
        options.body = field.files[0];
        options.headers["Content-Type"] = "application/zip";
      }
    }
    const answer = $(".answer", form);
    const pre = Object.assign(document.createElement("pre"), { tabIndex: 0 });
    const head = document.createElement("p");
    answer.replaceChildren(head);
    head.textContent = "Sending…";
    try {
      const began = performance.now();
      const response = await fetch(path + (query.size ? `?${query}` : ""), options);
      const text = await response.text();
      head.textContent = `${response.status} ${response.statusText}, ${duration((performance.now() - began) / 1000)}`;
      pre.textContent = pretty(text);
      pre.setAttribute("role", "region");
      pre.setAttribute("aria-label", "Answer");
      if (text) answer.append(pre);
    } catch {
      head.textContent = "No answer: the connection was lost.";
    }
  });

  function pretty(text) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text.slice(0, 20000);
    }
  }

  // A link to an operation opens it.
  const opens = () => {
    const found = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (found instanceof HTMLDetailsElement) found.open = true;
  };
  addEventListener("hashchange", opens);
  on("click", ".side a", () => $(".side:popover-open")?.hidePopover());

  opens();
  startLog();
  if (!document.hidden) connect();
})();
