// GraphiQL with a box for the API key. The key stays in this browser tab and goes nowhere but here.
"use strict";

(function () {
  const KEY = "forecourt.key";
  const form = document.getElementById("key-form");
  const box = document.getElementById("key");
  const state = document.getElementById("key-state");
  const examples = JSON.parse(document.getElementById("examples").textContent);
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  const explorer = GraphiQLPluginExplorer.explorerPlugin();
  const url = location.origin + location.pathname;
  let socket;

  // GraphiQL keeps its tabs where the key is kept: in this browser tab only.
  const storage = sessionStorage;

  // The editor of the first tab starts with what was last written there, not with the tab's own.
  if (examples.length && storage.getItem("graphiql:tabState") === null) {
    storage.setItem("graphiql:variables", examples[0].variables);
  }

  // A tab is named after its operation; its title stands above, unless a comment is there already.
  function titled({ title, query }) {
    return query.startsWith("#") ? query : `# ${title}\n${query}`;
  }

  function authorization() {
    const key = storage.getItem(KEY);
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
        fetcher,
        storage,
        // The schema needs a key as well: undefined has it read, null leaves it alone.
        schema: authorization() ? undefined : null,
        plugins: [explorer],
        defaultTabs: examples.map((example) => ({
          query: titled(example),
          variables: example.variables || undefined,
        })),
        defaultEditorToolsVisibility: "variables",
        shouldPersistHeaders: false,
      })
    );
    state.textContent = authorization() ? "" : "Requests need a key.";
  }

  box.value = storage.getItem(KEY) || "";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const key = box.value.trim().replace(/^Bearer\s+/i, "");
    if (key) {
      storage.setItem(KEY, key);
    } else {
      storage.removeItem(KEY);
    }
    render();
  });
  render();
})();
