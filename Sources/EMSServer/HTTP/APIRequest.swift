import EMSCore
import HTTPTypes
import Hummingbird
import NIOCore

/// A request, as the routes want to read it.
struct APIRequest: Sendable {
    /// The largest body that is read.
    static let bodyLimit = 1 << 20

    let request: Request
    let context: APIContext
    let authentication: AuthenticationService

    /// Whom the request speaks for.
    /// - Throws: ``EMSError`` with ``ErrorCode/unauthenticated``, ``ErrorCode/tokenExpired`` or ``ErrorCode/tokenRevoked``.
    func identity() async throws -> AuthenticationService.Identity {
        guard let token = BearerToken.token(inAuthorization: request.headers[.authorization]) else {
            throw EMSError(.unauthenticated, "a bearer token is needed", fix: "log in, and send Authorization: Bearer <access_token>")
        }
        return try await authentication.authenticate(token)
    }

    /// The body as bytes.
    func body() async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Self.bodyLimit { throw Self.tooLarge }
        do {
            return Array(try await request.body.collect(upTo: Self.bodyLimit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Self.tooLarge
        }
    }

    /// The body as JSON.
    /// - Throws: ``EMSError``: 415 for another media type, 413 for too much, 400 with the place of a syntax error.
    func json() async throws -> JSONValue {
        try Self.requireJSON(request.headers[.contentType])
        return try Self.json(try await body())
    }

    static func json(_ bytes: [UInt8]) throws -> JSONValue {
        do {
            return try JSONParser.parse(bytes)
        } catch {
            throw EMSError(.malformed, "the body is not JSON: \(error)")
        }
    }

    static func requireJSON(_ contentType: String?) throws {
        guard let contentType else { return }
        let type = contentType.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
        guard type == "application/json" || type.hasSuffix("+json") else {
            throw EMSError(
                .unsupportedMediaType, "the body must be JSON, not \(Printable.quoted(type))", fix: "send Content-Type: application/json")
        }
    }

    /// The id in the path.
    func id<Subject>(_ name: String = "id", _ kind: String) throws -> ID<Subject> {
        let text = context.parameters.get(name) ?? ""
        guard let id = ID<Subject>(text) else { throw EMSError.notFound(kind, text) }
        return id
    }

    /// The prefix, where the request came under it: what links in the answer begin with.
    func prefix(_ prefix: String) -> String {
        request.uri.path.hasPrefix(prefix + "/") ? prefix : ""
    }

    var query: QueryReader { QueryReader(request.uri) }

    /// The version in `If-Match`: `nil` where there is none, or any is right (`*`).
    func ifMatch() throws -> Int? {
        guard let text = request.headers[.ifMatch], text != "*" else { return nil }
        guard let version = Int(text.filter { $0 != "\"" }) else {
            throw EMSError(.versionConflict, "If-Match holds no ETag of this event", fix: "send the ETag as it was received")
        }
        return version
    }

    private static let tooLarge = EMSError(.tooLarge, "the body has more than \(bodyLimit) bytes", fix: "send less at once")
}

/// RFC 6750, section 2.1.
enum BearerToken {
    static func token(inAuthorization header: String?) -> String? {
        guard let header else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return parts[1].filter { $0 != " " }
    }
}
