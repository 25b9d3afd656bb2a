import EMSCore
import EMSRuntime
import HTTPTypes
import Hummingbird
import NIOCore

/// `/openapi.json`, and the pages that show it: Swagger UI at `/docs` and Redoc at `/redoc` where they are installed, otherwise a smaller
/// page of our own.
struct DocumentRoutes: RouteGroup {
    private let documents: [String: ByteBuffer]
    private let library: DocumentationLibrary
    private let prefix: String

    init(_ services: RouteServices) {
        let document = OpenAPIDocument(roles: services.roles, prefix: services.settings.apiPrefix)
        // Whoever reads it under the prefix is told to call under the prefix.
        documents = Dictionary(
            uniqueKeysWithValues: services.prefixes.map { ($0, ByteBuffer(bytes: document.json(calledUnder: $0))) })
        library = DocumentationLibrary(directory: services.server.documentationDirectory)
        prefix = services.settings.apiPrefix
    }

    static let routes: [Route<DocumentRoutes>] =
        [
            .get(
                "/openapi.json",
                Operation(
                    id: "openAPI", tag: .operations, summary: "This document", access: .anyone,
                    answers: [.json(200, "An OpenAPI 3.1 document.", .object(nil, [("openapi", .string())]))]), DocumentRoutes.openAPI)
        ] + DocumentationLibrary.pages.keys.sorted().map(page) + DocumentationLibrary.parts.keys.sorted().map(part)

    private static func page(_ path: String) -> Route<DocumentRoutes> {
        Route(
            method: .get, path: path, operation: described("page" + path, "text/html"), isHidden: true,
            handler: { group in { try await group.page(path, $0) } })
    }

    private static func part(_ path: String) -> Route<DocumentRoutes> {
        let type = DocumentationLibrary.mediaType(of: path)
        return Route(
            method: .get, path: path, operation: described("part" + path, type), isHidden: true,
            handler: { group in { try await group.part(path, $0) } })
    }

    private static func described(_ id: String, _ mediaType: String) -> Operation {
        Operation(
            id: id, tag: .operations, summary: "", access: .anyone,
            answers: [.text("", mediaType), .empty(308, "Without the slash at the end.")], errors: [.notFound])
    }

    @Sendable private func openAPI(_ request: APIRequest) async throws -> Response {
        guard let document = documents[request.prefix(prefix)] else { throw EMSError(.notFound, "there is no document here") }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: document))
    }

    private func page(_ path: String, _ request: APIRequest) async throws -> Response {
        // The parts are named relative to the page.
        guard !request.request.uri.path.hasSuffix("/") else {
            return Response(status: .permanentRedirect, headers: [.location: request.prefix(prefix) + path])
        }
        guard let page = library.page(path) else { throw EMSError(.notFound, "there is no such page") }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .contentSecurityPolicy: page.policy, .named("Referrer-Policy"): "no-referrer",
            ], body: .init(byteBuffer: ByteBuffer(string: page.html)))
    }

    private func part(_ path: String, _ request: APIRequest) async throws -> Response {
        let headers: HTTPFields = [
            .contentType: DocumentationLibrary.mediaType(of: path) + "; charset=utf-8", .cacheControl: "public, max-age=3600",
        ]
        switch library.part(path) {
        case .text(let text): return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
        case .file(let file):
            return Response(status: .ok, headers: headers, body: try await FileIO().loadFile(path: file, context: request.context))
        case nil: throw EMSError(.notFound, "there is no \(Printable.quoted(path)) here", fix: "install the files with scripts/api-docs")
        }
    }
}
