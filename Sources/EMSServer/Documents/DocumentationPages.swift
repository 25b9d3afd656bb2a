/// The pages around Swagger UI and Redoc. Their addresses are relative, so that they work with and without a prefix: they must be
/// served at `…/docs` and `…/redoc`, without a slash at the end, beside `…/openapi.json`.
enum DocumentationPages {
    /// `…/docs`, where requests can be tried. It wants `docs/swagger-ui.css`, `docs/swagger-ui-bundle.js` and `docs/init.js`.
    static let swaggerUI = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>ems API</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="docs/swagger-ui.css">
        <script src="docs/swagger-ui-bundle.js" defer></script>
        <script src="docs/init.js" defer></script>
        </head>
        <body>
        <noscript>This page needs JavaScript; the description itself is <a href="openapi.json">openapi.json</a>.</noscript>
        <div id="swagger-ui"></div>
        </body>
        </html>
        """#

    /// `…/docs/init.js`. Whoever logs in on the page is authorized from then on, until the page is left.
    static let swaggerUIScript = #"""
        "use strict";

        const dark = matchMedia("(prefers-color-scheme: dark)");
        const showTheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
        dark.addEventListener("change", showTheme);
        showTheme();

        const ui = SwaggerUIBundle({
          dom_id: "#swagger-ui",
          url: "openapi.json",
          validatorUrl: null,
          deepLinking: true,
          docExpansion: "list",
          tryItOutEnabled: true,
          displayRequestDuration: true,
          persistAuthorization: false,
          responseInterceptor(response) {
            if (!response.ok) return response;
            if (/\/auth\/(login|refresh)$/.test(response.url) && response.body?.access_token) {
              ui.preauthorizeApiKey("bearer", response.body.access_token);
            } else if (response.url.endsWith("/auth/logout")) {
              ui.authActions.logout(["bearer"]);
            }
            return response;
          },
        });
        """#

    /// `…/redoc`, for reading. It wants `redoc/redoc.standalone.js` and `redoc/init.js`.
    static let redoc = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>ems API</title>
        <link rel="icon" href="data:,">
        <script src="redoc/redoc.standalone.js" defer></script>
        <script src="redoc/init.js" defer></script>
        </head>
        <body>
        <noscript>This page needs JavaScript; the description itself is <a href="openapi.json">openapi.json</a>.</noscript>
        <div id="redoc"></div>
        </body>
        </html>
        """#

    /// `…/redoc/init.js`.
    static let redocScript = #"""
        "use strict";

        // Redoc's logo lies on another host, and nothing here asks one: it shows none where it gets an empty one.
        const { set: setSource } = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");
        const own = (source) => (/^https?:/.test(source) && new URL(source).origin !== location.origin ? "data:," : source);
        Object.defineProperty(HTMLImageElement.prototype, "src", { set(source) { setSource.call(this, own(source)); } });
        HTMLImageElement.prototype.setAttribute = function (name, value) {
          Element.prototype.setAttribute.call(this, name, name === "src" ? own(value) : value);
        };

        document.body.style.margin = 0;
        Redoc.init("openapi.json", {
          theme: {
            typography: {
              fontFamily: "system-ui, sans-serif",
              headings: { fontFamily: "system-ui, sans-serif" },
              code: { fontFamily: "ui-monospace, monospace" },
            },
          },
        }, document.getElementById("redoc"));
        """#
}
