// What a page does by itself: it listens for news, counts down, filters, takes keys, and draws a matrix that is too large to write.
"use strict";
const $ = (what, within = document) => within.querySelector(what);
const $$ = (what, within = document) => [...within.querySelectorAll(what)];
const say = text => { const at = $("#said"); if (at) { at.textContent = text; clearTimeout(say.timer); say.timer = setTimeout(() => { at.textContent = ""; }, 5000); } };

// --- signing in: the link brings its code behind a #, which browsers send to nobody
function signIn() {
  if (!$("[data-sign-in]")) return;
  const code = decodeURIComponent(location.hash.slice(1));
  if (code && !$("[role=alert]")) {
    history.replaceState(null, "", location.pathname);
    $("#code").value = code;
    $("form").submit();
    return;
  }
  // A link from elsewhere comes without the session: this page asks again for itself, once.
  if (location.pathname !== "/console/sign-in") {
    fetch(location.href, { headers: { accept: "text/html" } }).then(answer => { if (answer.ok) location.reload(); });
  }
}

// --- time
function tick() {
  const now = Date.now();
  for (const it of $$("[data-ends]")) {
    const left = Math.max(0, it.dataset.ends - now), seconds = Math.floor(left / 1000);
    const text = left ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left` : "expired";
    if (it.lastElementChild.textContent !== text) it.lastElementChild.textContent = text;
    it.classList.toggle("soon", left < 60000);
    $(".rest", it)?.setAttribute("stroke-dasharray", `${100 * left / it.dataset.whole} 100`);
    if (!left && it.closest(".answer")) closeAnswer();
  }
  for (const it of $$("time[data-at]")) {
    const s = Math.max(0, Math.round((now - it.dataset.at) / 1000));
    const text = s < 60 ? `${s} s ago` : s < 3600 ? `${Math.floor(s / 60)} min ago` : s < 86400 ? `${Math.floor(s / 3600)} h ago` : it.dataset.text;
    it.dataset.text ??= it.textContent; it.title = it.dataset.text + " UTC";
    if (text && it.textContent !== text) it.textContent = text;
  }
}

// --- the answer
function typedName() {
  const field = $("[data-must]"), button = $("[data-agree]");
  if (!field || !button) return;
  const look = () => { button.disabled = field.value.trim() !== field.dataset.must.trim(); };
  field.addEventListener("input", look);
  look();
}
function closeAnswer() { const it = $("[data-answering]"); if (it) { it.remove(); } }
function once(within = document) {
  for (const form of $$("form[method=post]", within)) {
    form.addEventListener("submit", event => { if (form.dataset.sent) event.preventDefault(); form.dataset.sent = "1"; setTimeout(() => delete form.dataset.sent, 3000); });
  }
}

// --- news
let known = null;
function listen() {
  if (!$(".app") || !window.EventSource) return;
  const { topic, id } = document.body.dataset;
  const news = new EventSource(`/console/events?topic=${encodeURIComponent(topic)}&id=${encodeURIComponent(id)}`);
  news.addEventListener("waiting", event => {
    const { count, first, ids } = JSON.parse(event.data);
    const at = $("#count");
    at.textContent = count; at.hidden = !count;
    document.title = document.title.replace(/^(\(\d+\) )?/, count ? `(${count}) ` : "");
    const fresh = known && first && ids.some(it => !known.includes(it));
    known = ids;
    if (fresh) {
      say(`Waits: ${first.title}`);
      if (window.Notification?.permission === "granted") {
        const told = new Notification("Rolecall asks", { body: first.title, tag: first.id });
        told.onclick = () => { window.focus(); location.href = `/console/q/${encodeURIComponent(first.id)}`; };
      }
    }
  });
  news.addEventListener("page", refresh);
}
let refreshing = false, again = false;
async function refresh() {
  if (refreshing) { again = true; return; }
  refreshing = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.status === 401) { location.reload(); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [from, to] = [$("[data-live]", page), $("[data-live]")];
    if (from && to && from.innerHTML !== to.innerHTML) {
      const focused = document.activeElement?.getAttribute("href"), typing = to.contains(document.activeElement) && document.activeElement.matches("input, textarea");
      if (!typing) {
        const open = $$("input[data-filter]", to).map(it => it.value);
        to.replaceChildren(...from.childNodes);
        $$("input[data-filter]", to).forEach((it, at) => { it.value = open[at] ?? ""; });
        wire(to);
        if (focused) $(`a[href="${CSS.escape(focused)}"]`, to)?.focus();
      }
      const standing = $("[data-standing]");
      if (standing && standing.dataset.standing !== "open") closeAnswer();
    }
    tick();
  } catch { /* the server is gone for a moment; the next piece of news comes when it is back */ }
  refreshing = false;
  if (again) { again = false; refresh(); }
}
// What takes its time comes when the page is there already.
async function later() {
  const at = $("[data-later]");
  if (!at) return;
  const answer = await fetch(at.dataset.later, { headers: { accept: "text/html" } });
  const found = $("[data-live]", new DOMParser().parseFromString(await answer.text(), "text/html"));
  if (!found) return;
  at.replaceChildren(...found.childNodes);
  wire(at); once(at);
}
function notices() {
  const button = $("#notify");
  if (!button || !window.Notification || Notification.permission !== "default") return;
  button.hidden = false;
  button.addEventListener("click", async () => { if (await Notification.requestPermission() !== "default") button.hidden = true; });
}

// --- filters
function wire(within = document) {
  for (const field of $$("input[data-filter]", within)) {
    const apply = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      if (field.dataset.filter === "mx") return matrix.filter(words);
      for (const row of $$(`#${field.dataset.filter} tbody tr`)) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every(it => text.includes(it));
      }
    };
    field.addEventListener("input", apply);
    if (field.value) apply();
  }
  for (const it of $$("[data-without-script]", within)) it.hidden = true;
  for (const it of $$("[data-submits]", within)) it.addEventListener("change", () => it.form.submit());
}

// --- keys
function keys() {
  const places = $$(".side li a");
  document.addEventListener("keydown", event => {
    const typing = event.target.matches("input:not([type=hidden]), textarea, select");
    if (event.key === "Escape") { if (typing) event.target.blur(); return; }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (event.key === "?") { event.preventDefault(); $("#keys")?.showModal(); }
    else if (event.key === "/") { const field = $("input[type=search], input[name=tool]"); if (field) { event.preventDefault(); field.focus(); field.select(); } }
    else if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
    else if (places[event.key - 1]) location.href = places[event.key - 1].href;
  });
}
function move(by) {
  const items = $$("[data-list] a, main tbody tr:not([hidden]) a:first-of-type").filter(it => it.offsetParent);
  const at = items.indexOf(document.activeElement);
  const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

// --- the matrix
const matrix = {
  words: [], only: new Set(),
  start() {
    this.at = $("#mx");
    if (!this.at) return;
    for (const chip of $$("[data-only]")) {
      chip.addEventListener("click", () => {
        const on = chip.getAttribute("aria-pressed") !== "true";
        chip.setAttribute("aria-pressed", on);
        this.only[on ? "add" : "delete"](chip.dataset.only);
        this.show();
      });
    }
    $("[data-print]")?.addEventListener("click", () => print());
    if (this.at.hasAttribute("data-large")) this.load(); else this.written();
  },
  filter(words) { this.words = words; this.show(); },
  // By team, those without one last; within it, or without it, who reaches most first; else as they came, by name.
  sorted(all, team, reach) {
    const byTeam = this.only.has("team"), byReach = this.only.has("reach"), last = "\uffff";
    if (!byTeam && !byReach) return all;
    return [...all].sort((a, b) => (byTeam && (team(a) || last).localeCompare(team(b) || last)) || (byReach && reach(b) - reach(a)) || 0);
  },
  show() { if (this.data) this.choose(); else this.choosePlain(); },

  // A table that the server wrote.
  written() {
    this.body = $("tbody", this.at);
    this.rows = $$("tr", this.body);
    this.rows.forEach(row => { row.dataset.text = row.textContent.toLowerCase(); });
    this.at.addEventListener("keydown", event => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key], from = event.target.closest("td, th");
      if (!step || !from) return;
      event.preventDefault();
      const table = $("table", this.at), y = from.parentElement.rowIndex + step[0], x = from.cellIndex + step[1];
      let row = table.rows[y];
      while (row?.hidden) row = table.rows[row.rowIndex + (step[0] || 1)];
      const cell = row?.cells[x];
      if (!cell) return;
      const to = $("a", cell) ?? cell;
      if (to === cell) cell.tabIndex = -1;
      to.focus();
    });
  },
  choosePlain() {
    const heads = $$("thead th", this.at).map(it => it.textContent.toLowerCase()), columns = heads.map((it, at) => at < 2 || !this.words.length || this.words.some(word => it.includes(word)));
    const byName = this.words.length && columns.slice(2).some(Boolean);
    for (const row of this.rows) {
      const wanted = byName || this.words.every(it => row.dataset.text.includes(it));
      row.hidden = !(wanted && (!this.only.has("power") || row.hasAttribute("data-power")) && (!this.only.has("outsiders") || row.hasAttribute("data-outsider")));
      [...row.cells].forEach((it, at) => { it.hidden = byName && !columns[at]; });
    }
    $$("thead th", this.at).forEach((it, at) => { it.hidden = byName && !columns[at]; });
    const order = this.sorted(this.rows, it => it.dataset.team, it => Number(it.dataset.reach));
    this.body.append(...order);
    say(`${this.rows.filter(it => !it.hidden).length} people`);
  },

  // One that is too large: only what is seen is drawn.
  async load() {
    const answer = await fetch(this.at.dataset.cells);
    if (!answer.ok) { this.at.textContent = await answer.text(); return; }
    this.data = await answer.json();
    this.unseen(this.data.unseen);
    for (const it of this.data.people) { it.text = `${it[0]} ${it[1]} ${it[2]}`.toLowerCase(); it.cells = new Map(); for (let at = 0; at < it[6].length; at += 2) it.cells.set(it[6][at], it[6][at + 1]); }
    this.at.replaceChildren();
    this.at.classList.add("drawn");
    this.at.setAttribute("role", "grid");
    const make = (name, role) => { const it = document.createElement("div"); it.className = name; if (role) it.setAttribute("role", role); return it; };
    this.all = make("mx-all", "rowgroup"); this.heads = make("mx-heads", "row"); this.lines = make("mx-lines", "presentation");
    this.lines.setAttribute("role", "presentation");
    this.all.append(this.heads, this.lines);
    this.at.append(this.all);
    this.cursor = [0, 0];
    this.at.addEventListener("scroll", () => this.later(), { passive: true });
    addEventListener("resize", () => this.later());
    this.at.addEventListener("keydown", event => this.key(event));
    this.choose();
    this.at.dataset.ready = "";
  },
  // What the service does not tell, where the page came before it was known.
  unseen(told) {
    if (!told.length || !$(".wait", this.at)) return;
    const card = document.createElement("div"), list = document.createElement("ul");
    card.className = "card small";
    list.append(...told.map(it => Object.assign(document.createElement("li"), { textContent: it })));
    card.append("What the service does not tell", list);
    $("main").append(card);
  },
  later() { this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); }); },
  choose() {
    const { people, projects, kinds } = this.data;
    const found = projects.map((name, at) => [name.toLowerCase(), at]).filter(it => this.words.length && this.words.every(word => it[0].includes(word))).map(it => it[1]);
    this.columns = found.length ? found : projects.map((_, at) => at);
    const role = it => [...it.cells.values()].some(kind => this.words.every(word => kinds[kind][2].toLowerCase().includes(word)));
    this.people = people.filter(it => (found.length || this.words.every(word => it.text.includes(word)) || role(it)) && (!this.only.has("power") || it[4]) && (!this.only.has("outsiders") || it[3]));
    this.people = this.sorted(this.people, it => it[2], it => it.cells.size);
    this.window = null;
    this.all.style.width = `${this.left() + 34 * (this.columns.length + 1) + 12}px`;
    this.all.style.height = `${134 + 30 * this.people.length + 12}px`;
    this.at.setAttribute("aria-rowcount", this.people.length + 1);
    this.at.setAttribute("aria-colcount", this.columns.length + 2);
    this.draw();
    say(`${this.people.length} people, ${this.columns.length} projects`);
  },
  left() { return matchMedia("(max-width: 760px)").matches ? 132 : 232; },
  draw() {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.at, left = this.left(), { projects } = this.data, scope = this.at.dataset.scope;
    // By eight columns at once, so that rows stay as they are while one scrolls a little.
    const from = Math.max(0, Math.floor(scrollLeft / 34 / 8) * 8 - 8), to = Math.min(this.columns.length, Math.ceil((scrollLeft + clientWidth) / 34 / 8) * 8 + 8);
    const top = Math.max(0, Math.floor((scrollTop - 134) / 30) - 8), bottom = Math.min(this.people.length, Math.ceil((scrollTop + clientHeight) / 30) + 8);
    const window = `${from} ${to} ${left}`;
    if (this.window !== window) {
      this.window = window;
      this.drawn = new Map();
      this.lines.replaceChildren();
      const heads = document.createDocumentFragment();
      const corner = document.createElement("span");
      corner.textContent = "the organization"; corner.style.left = `${left}px`; corner.setAttribute("role", "columnheader");
      heads.append(corner);
      for (let x = from; x < to; x++) {
        const it = document.createElement("a");
        it.textContent = projects[this.columns[x]]; it.title = it.textContent; it.tabIndex = -1; it.setAttribute("role", "columnheader"); it.setAttribute("aria-colindex", x + 3);
        it.href = `/console/access/project?${scope}&name=${encodeURIComponent(it.textContent)}`;
        it.style.left = `${left + 34 * (x + 1)}px`;
        heads.append(it);
      }
      this.heads.replaceChildren(heads);
    }
    for (const [y, row] of this.drawn) { if (y < top || y >= bottom) { row.remove(); this.drawn.delete(y); } }
    const lines = document.createDocumentFragment();
    for (let y = top; y < bottom; y++) {
      if (this.drawn.has(y)) continue;
      const person = this.people[y], row = document.createElement("div");
      row.className = "mx-row"; row.setAttribute("role", "row"); row.setAttribute("aria-rowindex", y + 2); row.style.top = `${134 + 30 * y}px`;
      const who = document.createElement("a");
      who.className = "mx-who"; who.textContent = person[0]; who.title = person[1]; who.tabIndex = -1; who.setAttribute("role", "rowheader");
      who.href = `/console/access/person?${scope}&name=${encodeURIComponent(person[1])}`;
      row.append(who);
      this.cell(row, person[5] ?? undefined, left, 2);
      for (let x = from; x < to; x++) this.cell(row, person.cells.get(this.columns[x]), left + 34 * (x + 1), x + 3);
      this.drawn.set(y, row);
      lines.append(row);
    }
    this.lines.append(lines);
    this.mark();
  },
  // Where the arrows have come to.
  mark() {
    const old = $("#mx-at");
    if (old) { old.classList.remove("at"); old.removeAttribute("id"); }
    const it = $(`[aria-colindex="${this.cursor[1] + 3}"][role=gridcell]`, this.drawn.get(this.cursor[0]) ?? document.createElement("i"));
    if (it) { it.id = "mx-at"; it.classList.add("at"); this.at.setAttribute("aria-activedescendant", "mx-at"); } else this.at.removeAttribute("aria-activedescendant");
  },
  cell(row, kind, left, column) {
    const it = document.createElement("span"), [letter, name, words] = kind === undefined ? ["", "none", "nothing"] : this.data.kinds[kind];
    it.className = `c ${name}`; it.textContent = letter; it.style.left = `${left}px`; it.title = kind === undefined ? "" : words;
    it.setAttribute("role", "gridcell"); it.setAttribute("aria-colindex", column); it.setAttribute("aria-label", words);
    row.append(it);
  },
  key(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageDown: [20, 0], PageUp: [-20, 0] }[event.key];
    const [y, x] = this.cursor;
    if (event.key === "Enter" && event.target === this.at) { location.href = `/console/access/person?${this.at.dataset.scope}&name=${encodeURIComponent(this.people[y][1])}`; return; }
    if (!step) return;
    event.preventDefault();
    this.cursor = [Math.min(this.people.length - 1, Math.max(0, y + step[0])), Math.min(this.columns.length - 1, Math.max(-1, x + step[1]))];
    const [top, left] = [30 * this.cursor[0], 34 * (this.cursor[1] + 1)];
    if (top < this.at.scrollTop) this.at.scrollTop = top; else if (top + 30 > this.at.scrollTop + this.at.clientHeight - 150) this.at.scrollTop = top + 180 - this.at.clientHeight;
    if (left < this.at.scrollLeft) this.at.scrollLeft = left; else if (left + 40 > this.at.scrollLeft + this.at.clientWidth - this.left()) this.at.scrollLeft = left + 40 - this.at.clientWidth + this.left();
    this.draw();
  },
};

signIn(); typedName(); once(); wire(); keys(); notices(); matrix.start(); later(); tick(); setInterval(tick, 500); listen();
