#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The pages that show the API, and what they are made of. Names are fixed: none is ever made of what a client sends.
struct DocumentationLibrary: Sendable {
    struct Page: Sendable {
        let html: String
        /// The Content-Security-Policy under which it works, and nothing else does.
        let policy: String
    }

    enum Part: Sendable {
        case text(String)
        /// The path of a file.
        case file(String)
    }

    /// Where the files are beside an installed executable: `PREFIX/bin/ems` and `PREFIX/share/ems/api-docs`.
    static let usualDirectory = "../share/ems/api-docs"

    private let directory: String

    /// - Parameter directory: where the files of Swagger UI and Redoc are; beside the executable where it is `nil`.
    init(directory: String?) {
        self.directory = directory ?? Self.directoryOfExecutable() + "/" + Self.usualDirectory
    }

    private static func directoryOfExecutable() -> String {
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    // MARK: Pages

    /// By path: the page, and the file that it cannot do without.
    static let pages: [String: (page: Page, needs: String)] = [
        "/docs": (Page(html: DocumentationPages.swaggerUI, policy: swaggerPolicy), "swagger-ui-bundle.js"),
        "/redoc": (Page(html: DocumentationPages.redoc, policy: redocPolicy), "redoc.standalone.js"),
    ]

    func page(_ path: String) -> Page? {
        guard let (page, file) = Self.pages[path] else { return nil }
        return exists(file) ? page : Page(html: ExplorerPage.html, policy: Self.explorerPolicy)
    }

    private static let common = "default-src 'none'; script-src 'self'; img-src data:; connect-src 'self'"
    private static let closed = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    private static let swaggerPolicy = "\(common); style-src 'self'; \(closed)"
    private static let explorerPolicy = "\(swaggerPolicy); require-trusted-types-for 'script'; trusted-types 'none'"
    /// The two style elements that Redoc makes: an empty one, and its own of version 2.5.4. Its search runs in a worker.
    private static let redocPolicy = """
        \(common); style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' \
        'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; worker-src blob:; \(closed)
        """

    // MARK: Parts

    /// By path: where it comes from.
    static let parts: [String: Part] = [
        "/docs/init.js": .text(DocumentationPages.swaggerUIScript), "/redoc/init.js": .text(DocumentationPages.redocScript),
        "/docs/explorer.js": .text(ExplorerPage.script), "/docs/explorer.css": .text(ExplorerPage.style),
        "/docs/swagger-ui.css": .file("swagger-ui.css"), "/docs/swagger-ui-bundle.js": .file("swagger-ui-bundle.js"),
        "/redoc/redoc.standalone.js": .file("redoc.standalone.js"),
    ]

    func part(_ path: String) -> Part? {
        switch Self.parts[path] {
        case .file(let name): exists(name) ? .file("\(directory)/\(name)") : nil
        case let part: part
        }
    }

    static func mediaType(of path: String) -> String {
        path.hasSuffix(".css") ? "text/css" : "text/javascript"
    }

    private func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(directory)/\(name)")
    }
}
