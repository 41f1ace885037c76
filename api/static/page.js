// GraphiQL with a box for the API key, and tabs of examples for each role. The key stays in this
// browser tab and goes nowhere but here.
"use strict";

(function () {
  const KEY = "forecourt.key";
  const ROLE = "forecourt.role";
  const form = document.getElementById("key-form");
  const box = document.getElementById("key");
  const state = document.getElementById("key-state");
  const picker = document.getElementById("role");
  const examples = JSON.parse(document.getElementById("examples").textContent);
  const roles = [...new Set(examples.map((example) => example.role))].filter(Boolean);
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  const explorer = GraphiQLPluginExplorer.explorerPlugin();
  const url = location.origin + location.pathname;
  let socket;

  // GraphiQL keeps its tabs where the key is kept, in this browser tab only, and those of each role
  // apart: who looks at another role's finds their own again as they left them.
  function storageOf(role) {
    const named = (name) => (role ? role + ":" : "") + name;
    return {
      get length() {
        return sessionStorage.length;
      },
      getItem: (name) => sessionStorage.getItem(named(name)),
      setItem: (name, value) => sessionStorage.setItem(named(name), value),
      removeItem: (name) => sessionStorage.removeItem(named(name)),
      clear: () => undefined,
    };
  }

  function roleShown() {
    return sessionStorage.getItem(ROLE) || roles[0] || "";
  }

  // A tab is named after its operation; its title stands above, unless a comment is there already.
  function titled({ title, query }) {
    return query.startsWith("#") ? query : `# ${title}\n${query}`;
  }

  function authorization() {
    const key = sessionStorage.getItem(KEY);
    return key ? "Bearer " + key : undefined;
  }

  function withKey(input, options) {
    const headers = new Headers(options.headers);
    const value = authorization();
    if (value && !headers.has("Authorization")) {
      headers.set("Authorization", value);
    }
    return fetch(input, { ...options, headers });
  }

  function render() {
    const role = roleShown();
    const storage = storageOf(role);
    const shown = examples.filter((example) => example.role === role);
    // The editor of the first tab starts with what was last written there, not with the tab's own.
    if (shown.length && storage.getItem("graphiql:tabState") === null) {
      storage.setItem("graphiql:variables", shown[0].variables);
    }
    if (socket) {
      socket.dispose();
    }
    socket = graphqlWs.createClient({
      url: url.replace(/^http/, "ws"),
      connectionParams: () => ({ authorization: authorization() }),
      lazy: true,
    });
    // A new fetcher makes GraphiQL read the schema again, now with the new key.
    const fetcher = GraphiQL.createFetcher({ url, fetch: withKey, wsClient: socket });
    root.render(
      React.createElement(GraphiQL, {
        key: role,
        fetcher,
        storage,
        // The schema needs a key as well: undefined has it read, null leaves it alone.
        schema: authorization() ? undefined : null,
        plugins: [explorer],
        defaultTabs: shown.map((example) => ({
          query: titled(example),
          variables: example.variables || undefined,
        })),
        defaultEditorToolsVisibility: "variables",
        shouldPersistHeaders: false,
      })
    );
    picker.value = role;
    state.textContent = authorization() ? "" : "Requests need a key.";
  }

  // The examples of the key's own role, unless somebody has chosen others.
  async function chooseRole() {
    if (roles.length < 2 || sessionStorage.getItem(ROLE) !== null) {
      return;
    }
    const answer = await withKey(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ query: "query Roles { viewer { roles } }" }),
    });
    const told = answer.ok ? (await answer.json()).data : null;
    const mine = told ? roles.find((role) => told.viewer.roles.includes(role)) : undefined;
    if (mine) {
      sessionStorage.setItem(ROLE, mine);
    }
  }

  box.value = sessionStorage.getItem(KEY) || "";
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const key = box.value.trim().replace(/^Bearer\s+/i, "");
    if (key) {
      sessionStorage.setItem(KEY, key);
      await chooseRole().catch(() => undefined);
    } else {
      sessionStorage.removeItem(KEY);
    }
    render();
  });

  for (const role of roles) {
    picker.add(new Option(role, role));
  }
  document.getElementById("role-label").hidden = roles.length < 2;
  picker.addEventListener("change", () => {
    sessionStorage.setItem(ROLE, picker.value);
    render();
  });
  render();
})();
