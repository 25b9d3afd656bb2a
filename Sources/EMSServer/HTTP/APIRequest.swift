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
    let operation: Operation
    let clientAddress: NetworkAddress
    let requestID: String
    /// The bytes of the body; none if the operation takes none.
    let body: [UInt8]
    private let knownIdentity: AuthenticationService.Identity?

    /// - Parameter identity: whom the request speaks for, where the operation asks for that.
    init(
        request: Request, context: APIContext, operation: Operation, clientAddress: NetworkAddress, requestID: String,
        body: [UInt8], identity: AuthenticationService.Identity?
    ) {
        self.request = request
        self.context = context
        self.operation = operation
        self.clientAddress = clientAddress
        self.requestID = requestID
        self.body = body
        knownIdentity = identity
    }

    /// Whom the request speaks for.
    var identity: AuthenticationService.Identity {
        guard let knownIdentity else { preconditionFailure("\(operation.id) is open to anyone, and asks who it is") }
        return knownIdentity
    }

    var user: User { identity.user }
    var principal: Principal { Principal(.user(identity.user), via: source) }

    /// How what the request changes comes in.
    var source: ChangeSource {
        ChangeSource(
            .http, address: clientAddress.description, requestID: requestID,
            traceparent: request.headers[.traceparent].flatMap { TraceParent($0) })
    }

    /// - Throws: ``EMSError`` with ``ErrorCode/unauthenticated`` where there is none.
    static func bearerToken(_ request: Request) throws -> String {
        guard let token = BearerToken.token(inAuthorization: request.headers[.authorization]) else {
            throw EMSError(.unauthenticated, "a bearer token is needed", fix: "log in, and send Authorization: Bearer <access_token>")
        }
        return token
    }

    /// Reads the body of a request.
    /// - Throws: ``EMSError`` with ``ErrorCode/tooLarge``.
    static func body(of request: Request) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > bodyLimit { throw tooLarge }
        do {
            return Array(try await request.body.collect(upTo: bodyLimit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
    }

    /// The body as JSON.
    /// - Throws: ``EMSError`` with ``ErrorCode/malformed`` and the place of a syntax error.
    func json() throws -> JSONValue {
        try Self.json(body)
    }

    static func json(_ bytes: [UInt8]) throws -> JSONValue {
        do {
            return try JSONParser.parse(bytes)
        } catch {
            throw EMSError(.malformed, "the body is not JSON: \(error)")
        }
    }

    /// A body without a type is taken for JSON.
    static func require(_ allowed: [String], _ contentType: String?) throws {
        guard let contentType else { return }
        let type = contentType.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
        let isJSON = type.hasPrefix("application/") && type.hasSuffix("+json") && allowed.contains("application/json")
        guard allowed.contains(type) || isJSON else {
            throw EMSError(
                .unsupportedMediaType, "the body must be JSON, not \(Printable.quoted(type))",
                fix: "send Content-Type: \(allowed.joined(separator: " or "))")
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

    var query: QueryReader { QueryReader(request.uri, for: operation) }

    /// The version in `If-Match`: `nil` where there is none, or any is right (`*`).
    func ifMatch() throws -> Int? {
        guard let text = request.headers[.ifMatch], text != "*" else { return nil }
        guard let version = EntityTag.version(text) else {
            throw EMSError(.versionConflict, "If-Match holds no ETag of this event", fix: "send the ETag as it was received")
        }
        return version
    }

    static let tooLarge = EMSError(.tooLarge, "the body has more than \(bodyLimit) bytes", fix: "send less at once")
}

/// RFC 6750, section 2.1.
enum BearerToken {
    static func token(inAuthorization header: String?) -> String? {
        guard let header else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        // Spaces are looked for as bytes: as characters, a token is long.
        guard parts[1].utf8.contains(UInt8(ascii: " ")) else { return String(parts[1]) }
        let token = parts[1].filter { $0 != " " }
        return token.isEmpty ? nil : token
    }
}

/// The name of one request: of every change that it makes, and of the answer, if the client has chosen it.
enum RequestID {
    private static let lengthLimit = 128

    /// The client's `X-Request-Id`, or a new id: what is not a plain word could not be written into a log line.
    static func id(of request: Request) -> String {
        if let given = request.headers[.requestID], (1...lengthLimit).contains(given.utf8.count), given.utf8.allSatisfy(isPlain) {
            return given
        }
        return ID<APIRequest>().description
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// The entity tags of events: the version in quotes (RFC 9110, section 8.8.3).
enum EntityTag {
    /// The version of a strong tag, and nothing else: a weak one matches nothing here (section 13.1.1).
    static func version(_ tag: String) -> Int? {
        guard let version = Int(tag.dropFirst().dropLast()), tag.utf8.elementsEqual("\"\(version)\"".utf8) else { return nil }
        return version
    }

    /// The weak comparison of section 13.1.2 with each of a list.
    static func isListed(_ tag: String, in header: String) -> Bool {
        let opaque = tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]
        return header == "*"
            || header.split(separator: ",").contains { candidate in
                let trimmed = candidate.filter { $0 != " " }
                return trimmed == opaque || trimmed == "W/" + opaque
            }
    }
}
