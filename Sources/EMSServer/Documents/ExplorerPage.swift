/// The page at `…/docs` and `…/redoc` where Swagger UI and Redoc are not installed: shows what `openapi.json` tells of, and does it.
/// Like ``DocumentationPages`` it works with and without a prefix; it wants `docs/explorer.css` and `docs/explorer.js`.
enum ExplorerPage {
    static let html = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>ems API</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="docs/explorer.css">
        <script src="docs/explorer.js" defer></script>
        </head>
        <body>
        <header>
        <h1>ems API</h1>
        <input id="search" type="search" placeholder="Search" aria-label="Search operations" autocomplete="off" spellcheck="false">
        <button id="session" type="button">Log in</button>
        </header>
        <div id="columns">
        <nav aria-label="Operations"></nav>
        <main>
        <div id="about"></div>
        <p><a href="openapi.json">openapi.json</a> · <span id="count" role="status">Loading…</span></p>
        <noscript><p>This page needs JavaScript; openapi.json does not.</p></noscript>
        <div id="operations"></div>
        </main>
        </div>
        <dialog aria-labelledby="login-title">
        <form id="login">
        <h2 id="login-title">Log in</h2>
        <label>Username or email <input name="username" autocomplete="username" autocapitalize="none" spellcheck="false"></label>
        <label>Password <input name="password" type="password" autocomplete="current-password"></label>
        <label>Or an access token <input name="token" autocomplete="off" spellcheck="false"></label>
        <p class="note">The token is kept until this page is left or loaded anew.</p>
        <p id="login-fault" role="alert"></p>
        <p class="buttons"><button type="button" id="login-cancel">Cancel</button> <button class="primary">Log in</button></p>
        </form>
        </dialog>
        </body>
        </html>
        """#

    /// `…/docs/explorer.js`.
    static let script = #"""
        "use strict";

        const $ = (selector) => document.querySelector(selector);
        // What stands beside this page; every path of the API does, too.
        const root = new URL(".", location.href).href.slice(0, -1);
        let api = {};
        let token = null;

        // Whatever the server says is put in as text, never as markup.
        function make(name, properties = {}, ...children) {
          const element = Object.assign(document.createElement(name), properties);
          element.append(...children.flat(Infinity).filter((child) => child));
          return element;
        }

        // Text in which `this` is code.
        const phrase = (text = "") => text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
        const prose = (text = "") => text.split("\n\n").filter(Boolean).map((paragraph) => make("p", {}, phrase(paragraph)));

        // Schemas

        function resolve(value = {}) {
          if (!value.$ref) return value;
          return resolve(value.$ref.slice(2).split("/").reduce((at, key) => at?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], api));
        }

        const choices = (schema) => [schema.anyOf, schema.oneOf, schema.allOf].flat().filter(Boolean);

        function typeName(schema = {}) {
          if (schema.$ref) return schema.$ref.split("/").pop();
          if (choices(schema).length) return choices(schema).map(typeName).join(" | ");
          if ("const" in schema) return JSON.stringify(schema.const);
          if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
          const item = schema.items ? typeName(schema.items) : "any";
          const list = item.includes(" ") ? `(${item})[]` : `${item}[]`;
          return [schema.type ?? "any"].flat().map((type) => (type === "array" ? list : type)).join(" | ");
        }

        function limits(schema) {
          const words = {
            format: "#", minLength: "length from #", maxLength: "length up to #", minItems: "from # items", maxItems: "up to # items",
            minimum: "from #", exclusiveMinimum: "over #", maximum: "up to #", pattern: "matches #", default: "# by default",
          };
          const own = Object.keys(words).filter((key) => key in schema).map((key) => words[key].replace("#", () => schema[key]));
          return [...own, ...choices(schema).map(limits)].filter(Boolean).join(", ");
        }

        // The members of an object, and of those in it, as nested lists; nothing where there are none.
        function members(schema, above = []) {
          const whole = resolve(schema);
          if (above.includes(whole)) return [];
          const within = [...above, whole];
          const inner = [...choices(whole), whole.items].filter(Boolean).flatMap((part) => members(part, within));
          if (!whole.properties) return inner;
          const list = Object.entries(whole.properties).map(([name, property]) =>
            make("li", {},
              make("code", {}, name), whole.required?.includes(name) && make("b", { className: "required" }, " required"),
              make("span", { className: "type" }, ` ${typeName(property)}`), make("span", { className: "note" }, ` ${limits(property)} `),
              phrase(property.description), members(property, within)));
          return [make("ul", { className: "schema" }, list), ...inner];
        }

        const exampleOf = (media) =>
          media.example ?? Object.values(media.examples ?? {})[0]?.value ?? resolve(media.schema).examples?.[0] ?? {};

        // JSON in colours.
        function pretty(json) {
          const parts = JSON.stringify(json, null, 2).split(/("(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b|-?\b\d[\d.eE+-]*)/);
          return make("pre", { tabIndex: 0 }, parts.map((part, index) => {
            if (index % 2 === 0) return part;
            return make("span", { className: part[0] !== '"' ? "literal" : parts[index + 1][0] === ":" ? "name" : "string" }, part);
          }));
        }

        // Requests

        function setToken(value) {
          token = value;
          $("#session").textContent = token ? "Log out" : "Log in";
          document.body.classList.toggle("authorized", token !== null);
        }

        async function send(method, path, headers = {}, body) {
          const start = performance.now();
          const response = await fetch(root + path, { method, headers, body, credentials: "omit", signal: AbortSignal.timeout(60_000) });
          const text = await response.text();
          const answer = { response, text, milliseconds: Math.round(performance.now() - start), size: new Blob([text]).size };
          try { answer.json = JSON.parse(text); } catch { /* not every answer is JSON */ }
          if (response.ok && typeof answer.json?.access_token === "string") setToken(answer.json.access_token);
          if (response.ok && path.endsWith("/auth/logout")) setToken(null);
          return answer;
        }

        const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

        function curl(method, path, headers, body) {
          const lines = [`curl -i ${method === "GET" ? "" : `-X ${method} `}${quoted(root + path)}`];
          for (const [name, value] of Object.entries(headers)) {
            lines.push(name === "Authorization" ? '-H "Authorization: Bearer $TOKEN"' : `-H ${quoted(`${name}: ${value}`)}`);
          }
          if (body !== undefined) lines.push(`--data-raw ${quoted(body)}`);
          return lines.join(" \\\n  ");
        }

        // A body without its passwords, to be shown.
        function withoutSecrets(body, schema) {
          const isSecret = (name) => resolve(schema).properties?.[name]?.format === "password";
          try { return JSON.stringify(JSON.parse(body), (name, value) => (isSecret(name) ? "…" : value)); } catch { return body; }
        }

        function resultOf({ response, text, json }, command) {
          const headers = [...response.headers].map(([name, value]) => make("li", {}, make("code", {}, name), ` ${value}`));
          const copy = make("button", { type: "button" }, "Copy");
          copy.onclick = () => navigator.clipboard.writeText(command).then(() => { copy.textContent = "Copied"; });
          return make("div", {},
            json === undefined ? make("pre", { tabIndex: 0, hidden: !text }, text) : pretty(json),
            make("details", {}, make("summary", {}, `Headers (${headers.length})`), make("ul", { className: "schema" }, headers)),
            make("details", {}, make("summary", {}, "As curl"), make("pre", { tabIndex: 0, className: "curl" }, command),
              navigator.clipboard && copy));
        }

        // Operations

        function input(parameter, id) {
          const schema = resolve(parameter.schema);
          const words = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
          const element = words
            ? make("select", {}, new Option("—", ""), words.map((word) => new Option(word, word)))
            : make(schema.type === "array" ? "textarea" : "input", { autocomplete: "off", spellcheck: false });
          if (!words) element.placeholder = schema.type === "array" ? "one on each line" : schema.examples?.[0] ?? schema.default ?? "";
          return Object.assign(element, { id, name: parameter.name, required: parameter.required === true });
        }

        function requestForm({ id, method, path, operation, parameters }) {
          const inputs = parameters.map((parameter) => ({ parameter, element: input(parameter, `${id}/${parameter.name}`) }));
          const rows = inputs.map(({ parameter, element }) => {
            element.setAttribute("aria-describedby", `${element.id}/hint`);
            return make("div", { className: "row" },
              make("label", { htmlFor: element.id },
                make("code", {}, parameter.name), make("span", { className: "note" }, ` ${parameter.in}`),
                parameter.required && make("b", { className: "required" }, " required")),
              make("div", {}, element, make("div", { id: `${element.id}/hint` }, phrase(parameter.description),
                make("span", { className: "note" }, ` ${limits(resolve(parameter.schema))}`))));
          });
          const content = Object.entries(resolve(operation.requestBody).content ?? {});
          const schema = content[0]?.[1].schema;
          const types = make("select", { ariaLabel: "Media type" }, content.map(([type]) => new Option(type, type)));
          const text = content.length ? JSON.stringify(exampleOf(content[0][1]), null, 2) : "";
          const body = make("textarea", { ariaLabel: "Body", value: text, rows: text.split("\n").length + 1, spellcheck: false });
          const button = make("button", { className: "primary" }, "Execute");
          const [status, result] = [make("p", { role: "status" }), make("div", { className: "result" })];
          const form = make("form", { className: "request" },
            rows.length && make("fieldset", {}, make("legend", {}, "Parameters"), rows),
            content.length && make("fieldset", {}, make("legend", {}, "Body"), types, body,
              make("details", {}, make("summary", {}, "Schema ", make("span", { className: "type" }, typeName(schema))),
                prose(resolve(schema).description), members(schema))),
            make("p", { className: "buttons" }, button,
              operation.security?.length && make("span", { className: "note needs-token" }, "needs a token: log in first")));
          form.onsubmit = async (event) => {
            event.preventDefault();
            let address = path;
            const query = [];
            const headers = {};
            for (const { parameter, element } of inputs) {
              for (const value of element.value.split("\n").map((line) => line.trim()).filter(Boolean)) {
                const encoded = encodeURIComponent(value);
                if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, () => encoded);
                else if (parameter.in === "query") query.push(`${encodeURIComponent(parameter.name)}=${encoded}`);
                else headers[parameter.name] = value;
              }
            }
            if (query.length) address += `?${query.join("&")}`;
            if (content.length) headers["Content-Type"] = types.value;
            if (token && operation.security?.length) headers.Authorization = `Bearer ${token}`;
            const sent = content.length ? body.value : undefined;
            const command = curl(method, address, headers, sent && withoutSecrets(sent, schema));
            button.disabled = true;
            status.textContent = "Waiting…";
            try {
              const answer = await send(method, address, headers, sent);
              const code = `${answer.response.status} ${answer.response.statusText}`;
              status.replaceChildren(make("b", { className: `s${code[0]}` }, code), ` in ${answer.milliseconds} ms, ${answer.size} bytes`);
              result.replaceChildren(resultOf(answer, command));
            } catch (fault) {
              status.textContent = `The request failed: ${fault.message}`;
              result.replaceChildren();
            }
            button.disabled = false;
          };
          return [form, status, result];
        }

        function answer([status, described]) {
          const { description, content = {} } = resolve(described);
          const title = [make("b", { className: `s${status[0]}` }, status), " ", phrase(description)];
          const [type, media] = Object.entries(content)[0] ?? [];
          if (!media) return make("li", {}, title);
          const example = exampleOf(media);
          return make("li", {}, make("details", {}, make("summary", {}, title),
            make("p", { className: "note" }, `${type}, `, make("span", { className: "type" }, typeName(media.schema))),
            Object.keys(example).length && pretty(example), members(media.schema)));
        }

        function card(call) {
          const { id, method, path, operation } = call;
          const details = make("details", { id, className: "operation" },
            make("summary", {}, make("b", { className: `method ${method.toLowerCase()}` }, method),
              make("code", { className: "path" }, path.split(/(?=\/)/).flatMap((part) => [document.createElement("wbr"), part])),
              make("span", { className: "summary" }, phrase(operation.summary))));
          details.ontoggle = () => {
            if (!details.open) return;
            history.replaceState(null, "", `#${id}`);
            if (details.childElementCount > 1) return;
            details.append(make("div", { className: "content" }, prose(operation.description), requestForm(call),
              make("h3", {}, "Answers"), make("ul", { className: "answers" }, Object.entries(operation.responses ?? {}).map(answer))));
          };
          return details;
        }

        function callsOf(paths) {
          return Object.entries(paths).flatMap(([path, item]) =>
            ["get", "post", "put", "patch", "delete"].filter((method) => item[method]).map((method) => {
              const operation = { security: api.security, ...item[method] };
              const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
              const id = `op/${operation.operationId ?? method + path}`;
              const words = [method, path, operation.summary, operation.description, operation.tags, id].join(" ").toLowerCase();
              return { id, method: method.toUpperCase(), path, operation, parameters, words, tag: operation.tags?.[0] ?? "Other" };
            }));
        }

        function show(calls) {
          const tags = new Set([...(api.tags ?? []).map((tag) => tag.name), ...calls.map((call) => call.tag)]);
          for (const tag of tags) {
            const own = calls.filter((call) => call.tag === tag);
            if (!own.length) continue;
            for (const call of own) {
              const link = make("a", { href: `#${call.id}` }, phrase(call.operation.summary ?? call.path));
              call.elements = [make("li", {}, link), card(call)];
            }
            $("nav").append(make("section", {}, make("h2", {}, tag), make("ul", {}, own.map((call) => call.elements[0]))));
            $("#operations").append(make("section", {}, make("h2", {}, tag), own.map((call) => call.elements[1])));
          }
        }

        function filter(calls) {
          const words = $("#search").value.toLowerCase().split(/\s+/);
          const shown = calls.filter((call) => words.every((word) => call.words.includes(word)));
          for (const call of calls) for (const element of call.elements) element.hidden = !shown.includes(call);
          for (const section of document.querySelectorAll("section")) {
            section.hidden = !section.querySelector("li:not([hidden]), .operation:not([hidden])");
          }
          $("#count").textContent = `${shown.length} of ${calls.length} operations`;
        }

        function openTarget() {
          const target = document.getElementById(location.hash.slice(1));
          if (!target?.matches(".operation")) return;
          // What is open already is not opened once more; what opens is as high as it will be only after that.
          if (target.open) target.scrollIntoView();
          else target.addEventListener("toggle", () => target.scrollIntoView(), { once: true });
          target.open = true;
        }

        function prepareLogin() {
          const [dialog, form, fault] = [$("dialog"), $("#login"), $("#login-fault")];
          const canLogIn = Boolean(api.paths["/auth/login"]);
          for (const name of ["username", "password"]) form.elements[name].parentElement.hidden = !canLogIn;
          $("#login-cancel").onclick = () => dialog.close();
          dialog.onclose = () => { form.reset(); fault.textContent = ""; };
          $("#session").onclick = async () => {
            if (!token) return dialog.showModal();
            const headers = { Authorization: `Bearer ${token}` };
            setToken(null);
            if (api.paths["/auth/logout"]) await send("POST", "/auth/logout", headers).catch(() => {});
          };
          form.onsubmit = async (event) => {
            event.preventDefault();
            const { username, password, token: given } = Object.fromEntries(new FormData(form));
            const body = JSON.stringify({ username_or_email: username, password });
            try {
              if (given.trim()) return setToken(given.trim());
              const { response, json } = await send("POST", "/auth/login", { "Content-Type": "application/json" }, body);
              fault.textContent = response.ok ? "" : json?.detail ?? `The server answered ${response.status}.`;
            } catch (error) {
              fault.textContent = `The request failed: ${error.message}`;
            } finally {
              if (token) dialog.close();
            }
          };
        }

        async function begin() {
          const response = await fetch("openapi.json", { credentials: "omit" });
          if (!response.ok) throw new Error(`the server answered ${response.status}`);
          api = await response.json();
          document.title = $("h1").textContent = `${api.info.title} API`;
          $("h1").append(make("small", {}, ` ${api.info.version}`));
          $("#about").append(...prose(api.info.description));
          const calls = callsOf(api.paths);
          show(calls);
          filter(calls);
          $("#search").oninput = () => filter(calls);
          prepareLogin();
          addEventListener("hashchange", openTarget);
          openTarget();
        }

        begin().catch((fault) => { $("#count").textContent = `The description could not be read: ${fault.message}`; });
        """#

    /// `…/docs/explorer.css`.
    static let style = #"""
        :root {
          color-scheme: light dark;
          --back: #fff; --raised: #f5f6f8; --line: #d8dce2; --text: #1b1f24; --faint: #59626e; --accent: #0b62c4; --on-accent: #fff;
          --get: #0b62c4; --post: #12753a; --put: #8a5300; --patch: #6a3fb5; --delete: #b3261e;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --back: #14171c; --raised: #1d2128; --line: #363c47; --text: #e4e7eb; --faint: #9ba5b3; --accent: #6cb0ff; --on-accent: #0c1118;
            --get: #6cb0ff; --post: #5cc98a; --put: #e7ad52; --patch: #b99cf5; --delete: #ff8a80;
          }
        }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        html { scroll-padding-top: 7.5rem; }
        body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
        h1, h2, h3, p, ul { margin: 0 0 .5rem; }
        h1, h2 { font-size: 1.25rem; }
        h1 { margin: 0; white-space: nowrap; }
        section > h2 { margin-top: 1.5rem; }
        h3 { font-size: 1rem; margin-top: 1rem; }
        a { color: var(--accent); }
        small, .note { color: var(--faint); font-weight: normal; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
        header {
          position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; padding: .75rem 1rem;
          background: var(--back); border-bottom: 1px solid var(--line);
        }
        #search { order: 1; flex: 1 0 100%; }
        #session { margin-left: auto; }
        @media (min-width: 36rem) {
          html { scroll-padding-top: 4.5rem; }
          #search { order: 0; flex: 0 1 30rem; margin-left: auto; }
          #session { margin-left: 0; }
        }
        #columns { max-width: 80rem; margin: auto; padding: 0 1rem 4rem; }
        main { min-width: 0; padding-top: 1rem; }
        nav { display: none; font-size: .875rem; }
        nav h2 { font-size: 1em; margin: 1rem 0 .25rem; }
        nav ul, .answers { list-style: none; padding: 0; }
        nav a { display: block; padding: .125rem 0; color: var(--text); text-decoration: none; }
        nav a:hover { color: var(--accent); text-decoration: underline; }
        @media (min-width: 64rem) {
          #columns { display: grid; grid-template-columns: 15rem 1fr; gap: 2rem; }
          nav { display: block; position: sticky; top: 4rem; align-self: start; max-height: calc(100vh - 4rem); overflow: auto; }
        }
        input, select, textarea, button {
          font: 1rem/1.5 system-ui, sans-serif; color: inherit; background: var(--back); padding: .375rem .625rem; max-width: 100%;
          border: 1px solid var(--faint); border-radius: .375rem;
        }
        button { cursor: pointer; white-space: nowrap; }
        button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
        button:disabled { opacity: .6; cursor: default; }
        .row input, .row select, .row textarea, fieldset > textarea, dialog input { width: 100%; }
        textarea { display: block; resize: vertical; }
        code, pre, textarea, .type, .method { font: .875rem/1.5 ui-monospace, monospace; }
        fieldset { border: 1px solid var(--line); border-radius: .375rem; margin: 0 0 1rem; padding: .5rem .75rem .75rem; min-width: 0; }
        legend { font-weight: bold; padding: 0 .25rem; }
        fieldset > select { margin-bottom: .5rem; }
        summary { cursor: pointer; }
        .row { display: grid; gap: .25rem 1rem; padding: .5rem 0; }
        @media (min-width: 44rem) { .row { grid-template-columns: 12rem 1fr; } }
        .operation { margin-bottom: .5rem; background: var(--raised); }
        .operation > summary { display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; padding: .5rem .75rem; }
        .path { font-weight: bold; }
        .summary { color: var(--faint); }
        .content { padding: .75rem; border-top: 1px solid var(--line); background: var(--back); border-radius: 0 0 .5rem .5rem; }
        .method { width: 3.5rem; font-weight: bold; }
        .get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); }
        .patch { color: var(--patch); } .delete { color: var(--delete); }
        .s2, .string { color: var(--post); } .s3, .type, .name { color: var(--get); } .literal { color: var(--put); }
        .s4, .s5, .required, [role="alert"] { color: var(--delete); }
        .required { font-weight: normal; font-size: .875rem; }
        .schema { list-style: none; padding-left: .75rem; border-left: 2px solid var(--line); margin: .25rem 0; }
        pre { margin: .5rem 0; padding: .75rem; background: var(--raised); border: 1px solid var(--line); border-radius: .375rem;
          overflow: auto; max-height: 30rem; white-space: pre-wrap; }
        .authorized .needs-token { display: none; }
        .buttons { display: flex; gap: .75rem; align-items: center; }
        dialog { width: 24rem; max-width: calc(100vw - 2rem); color: inherit; background: var(--back); }
        dialog, .operation { border: 1px solid var(--line); border-radius: .5rem; }
        dialog::backdrop { background: rgb(0 0 0 / .5); }
        dialog label { display: block; margin-bottom: .75rem; }
        dialog .buttons { justify-content: flex-end; }
        """#
}
