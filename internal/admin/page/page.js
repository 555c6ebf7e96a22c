"use strict";
// What is shown comes from the gate, and in part from its clients: it is only ever set as
// text, never read as HTML.
(() => {
  const every = 2000, rarest = 20000, patience = 5000; // ms
  const most = 100, few = 3; // rows of a table, words of a cell; the rest is only counted
  const byId = (id) => document.getElementById(id);

  // put changes text and look only where they differ, so that what somebody has marked stays.
  const put = (element, text, look = "") => {
    if (element.textContent !== text) element.textContent = text;
    if (element.className !== look) element.className = look;
  };

  // grow makes a parent have as many children as wanted.
  const grow = (parent, count, make) => {
    while (parent.children.length > count) parent.lastElementChild.remove();
    while (parent.children.length < count) parent.append(make());
  };

  // Roles are said aloud: a table that a narrow screen shows as blocks stays one.
  const make = (name, role) => {
    const element = document.createElement(name);
    if (role) element.setAttribute("role", role);
    return element;
  };

  const head = (table, columns) => {
    table.setAttribute("role", "table");
    const row = make("tr", "row"), group = make("thead", "rowgroup");
    for (const [title, look] of columns) {
      const cell = make("th", "columnheader");
      cell.scope = "col";
      put(cell, title, look || "");
      row.append(cell);
    }
    group.append(row);
    table.append(group, make("tbody", "rowgroup"));
  };

  // fill shows rows of cells; a cell is a text, or a text and how it looks. One cell alone
  // is as wide as the table.
  const fill = (id, columns, rows, nothing) => {
    const table = byId(id);
    if (!table.tHead) head(table, columns);
    const body = table.tBodies[0];
    if (rows.length === 0) rows = [[[nothing, "none"]]];
    if (rows.length > most) rows = [...rows.slice(0, most), [[`and ${number(rows.length - most)} more`, "none"]]];
    grow(body, rows.length, () => make("tr", "row"));
    rows.forEach((cells, i) => {
      const row = body.children[i];
      grow(row, cells.length, () => make("td", "cell"));
      cells.forEach((cell, j) => {
        const [text, look] = Array.isArray(cell) ? cell : [cell, ""];
        const element = row.children[j];
        element.dataset.label = columns[j][0];
        element.colSpan = cells.length === 1 ? columns.length : 1;
        put(element, String(text ?? ""), [columns[j][1], look].filter(Boolean).join(" "));
      });
    });
  };

  const number = (n) => Number(n).toLocaleString("en", {maximumFractionDigits: Math.abs(n) < 10 ? 2 : 0});

  const seconds = (s) => {
    if (s === null || s === undefined) return "–";
    if (s < 0.001) return `${number(s * 1e6)} µs`;
    return s < 1 ? `${number(s * 1e3)} ms` : `${number(s)} s`;
  };

  const span = (s) => {
    const units = [[86400, "d"], [3600, "h"], [60, "min"]];
    const i = units.findIndex(([size]) => s >= size);
    if (i < 0) return `${Math.max(0, Math.floor(s))} s`;
    const [size, unit] = units[i], [less, small] = units[i + 1] || [1, "s"];
    return `${Math.floor(s / size)} ${unit} ${Math.floor((s % size) / less)} ${small}`;
  };

  const date = (text) => new Date(text).toISOString().slice(0, 10);
  const clock = (text) => new Date(text).toISOString().slice(11, 19);

  const drawing = "http://www.w3.org/2000/svg";

  // line draws values from left to right, with a gap where there is none.
  const line = (svg, values, text) => {
    const top = Math.max(...values.map((v) => v ?? 0)) || 1, step = 100 / Math.max(1, values.length - 1);
    let path = "", down = false;
    values.forEach((v, i) => {
      if (v !== null) path += `${down ? "L" : "M"}${(i * step).toFixed(1)} ${(29 - 28 * v / top).toFixed(1)}${down ? "" : "h.1"}`;
      down = v !== null;
    });
    svg.firstElementChild.setAttribute("d", path);
    svg.setAttribute("aria-label", text);
  };

  const tile = () => {
    const box = make("div"), svg = document.createElementNS(drawing, "svg");
    box.className = "tile";
    svg.setAttribute("viewBox", "0 0 100 30");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.append(document.createElementNS(drawing, "path"));
    box.append(make("h3"), make("p"), svg);
    return box;
  };

  const measures = [
    ["Requests a second", "requests_per_second", number],
    ["Refused a second", "refused_per_second", number],
    ["Failed a second", "failed_per_second", number],
    ["Half done within", "p50_seconds", seconds],
    ["99 % done within", "p99_seconds", seconds],
  ];

  const showTraffic = (traffic) => {
    const tiles = byId("traffic"), history = traffic.history || [];
    const minutes = span(history.length * traffic.step_seconds);
    grow(tiles, measures.length, tile);
    measures.forEach(([title, key, unit], i) => {
      const [name, value, svg] = tiles.children[i].children, values = history.map((step) => step[key]);
      put(name, title);
      put(value, unit(traffic[key]));
      line(svg, values, `${title}, the last ${minutes}: at most ${unit(Math.max(0, ...values.map((v) => v ?? 0)))}`);
    });
    put(byId("traffic-note"), `Figures: the last ${span(traffic.window_seconds)}. Lines: the last ${minutes}. Durations are estimates.`, "note");
  };

  const stateLook = {up: "good", down: "bad", unknown: "warn", serving: "good"};

  // worstFirst orders by a number, and leaves what is equal as it came.
  const worstFirst = (list, rank) => [...list].sort((a, b) => rank(a) - rank(b));

  const backendRank = (b) => b.state === "down" ? 0 : b.state === "unknown" || b.draining ? 1 : 2;

  const showBackends = (backends, now) => fill("backends",
    [["Pool"], ["Backend"], ["State"], ["Why"], ["For"], ["Weight", "number"], ["Running", "number"], ["Kept", "number"]],
    worstFirst(backends, backendRank).map((b) => [b.pool, b.backend, [b.draining ? `${b.state}, draining` : b.state, b.draining ? "warn" : stateLook[b.state]],
      b.why, span((now - Date.parse(b.since)) / 1000), b.weight, b.running, b.kept]),
    "There are none.");

  const certificateState = (c, now) => {
    if (!c.source) return ["none yet", "bad"];
    if (Date.parse(c.not_after) <= now) return ["expired", "bad"];
    if (c.renewal && Date.parse(c.renewal) <= now) return ["renewal is due", "warn"];
    return Date.parse(c.not_after) - now < 7 * 86400e3 ? ["ends soon", "warn"] : ["good", "good"];
  };

  const order = (o) => {
    if (!o) return "";
    const advice = (o.advice || []).map((text) => ` Perhaps: ${text}`).join("");
    return (o.failures ? `${o.failures} orders failed: ${o.error}` : "An order is under way.") + advice;
  };

  const certificateRank = (c) => c.source ? Math.round(c.days_left ?? 0) : -1e9;

  const showCertificates = (certificates, now) => fill("certificates",
    [["Host"], ["State"], ["Days left", "number"], ["Ends"], ["Source"], ["Issuer"], ["Trouble"]],
    worstFirst(certificates, certificateRank).map((c) => [c.host, certificateState(c, now), c.source ? (c.days_left ?? 0).toFixed(1) : "–",
      c.source ? date(c.not_after) : "–", c.source, c.issuer, order(c.order)]),
    "No listener has TLS.");

  const sum = (counts, skip) => Object.entries(counts || {}).reduce((n, [word, count]) => skip.includes(word) ? n : n + count, 0);

  const hosts = (list) => list.slice(0, few).join(", ") + (list.length > few ? ` and ${number(list.length - few)} more` : "");

  const showListeners = (listeners) => fill("listeners",
    [["Name"], ["Kind"], ["Address"], ["Hosts"], ["Pool"], ["Requests", "number"], ["Not ok", "number"], ["5xx", "number"]],
    listeners.map((l) => [l.name, l.kind, l.address, hosts(l.hosts || []), l.pool, number(l.requests),
      number(sum(l.reasons, ["ok"])), number((l.statuses || {})["5xx"] || 0)]),
    "There are none.");

  const showReasons = (traffic, listeners) => {
    const where = (reason) => listeners.filter((l) => (l.reasons || {})[reason]).map((l) => `${l.name} ${number(l.reasons[reason])}`).join(", ");
    fill("reasons", [["Reason"], ["Last 5 min", "number"], ["Since start", "number"], ["Listeners"]],
      (traffic.reasons || []).filter((r) => r.reason !== "ok").sort((a, b) => b.recent - a.recent || b.total - a.total)
        .map((r) => [r.reason, number(r.recent), number(r.total), where(r.reason)]),
      "All requests so far were answered.");
    const rows = Object.entries(traffic.connections_refused || {}).map(([cause, count]) => ["connection", cause, number(count), ""]);
    for (const l of listeners) {
      for (const [result, count] of Object.entries(l.handshakes || {})) {
        if (result !== "ok" && result !== "resumed") rows.push(["handshake", result, number(count), l.name]);
      }
    }
    fill("connections", [["What"], ["Cause"], ["Since start", "number"], ["Listener"]], rows, "Nothing so far.");
  };

  const showExchanges = (id, exchanges, nothing) => fill(id,
    [["Time (UTC)"], ["Reason"], ["Status", "number"], ["Took", "number"], ["Method"], ["Path"], ["Client"], ["Listener"], ["Backend"]],
    (exchanges || []).slice(0, 20).map((e) => [clock(e.time), [e.reason, e.level === "error" ? "bad" : e.level === "warn" ? "warn" : ""], e.status,
      seconds(e.duration_seconds), e.method, e.path, e.client, e.listener, e.backend]),
    nothing);

  const show = (status, recent) => {
    const now = Date.parse(status.since) + status.uptime_seconds * 1000; // by the gate's clock
    put(byId("version"), status.version);
    put(byId("state"), status.state, `badge ${stateLook[status.state] || "warn"}`);
    put(byId("since"), `for ${span(status.uptime_seconds)}, ${number(status.connections)} ${status.connections === 1 ? "connection" : "connections"}`);
    showTraffic(status.traffic);
    showBackends(status.backends || [], now);
    showCertificates(status.certificates || [], now);
    showListeners(status.listeners || []);
    showReasons(status.traffic, status.listeners || []);
    showExchanges("refused", recent.refused, "Nothing was refused lately.");
    showExchanges("troubled", recent.troubled, "Nothing failed or was slow lately.");
    showExchanges("slowest", recent.slowest, "Nobody came.");
    const down = (status.backends || []).filter((b) => b.state === "down").length;
    document.title = `${down ? `(${down} down) ` : ""}${status.state} – trackgate`;
  };

  const get = async (page) => {
    const answer = await fetch(page, {cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(patience)});
    if (!answer.ok) throw new Error(`${answer.status} for ${page}`);
    return answer.json();
  };

  const complain = (text) => {
    const trouble = byId("trouble");
    put(trouble, text);
    trouble.hidden = text === "";
    document.body.classList.toggle("stale", text !== "");
  };

  let timer = 0, looking = false, heard = null;

  // One look comes after the other; nobody looks while the page is hidden. A gate that has
  // much to tell, thousands of certificates say, is asked less often.
  const look = async () => {
    const began = performance.now();
    looking = true;
    try {
      show(...await Promise.all([get("status"), get("recent")]));
      heard = new Date();
      complain("");
    } catch (error) {
      const last = heard ? `What you see is of ${clock(heard)} UTC. ` : "";
      complain(`The gate does not answer. ${last}(${error.message})`);
    }
    looking = false;
    if (!document.hidden) timer = setTimeout(look, Math.min(Math.max(every, 10 * (performance.now() - began)), rarest));
  };

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden && !looking) look();
  });
  look();
})();
