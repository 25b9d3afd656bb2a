import EMSCore
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// An answer whose body is JSON.
    static func json(_ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], of body: some JSONEncodable) -> Response {
        .json(status, headers: headers, bytes: body.json())
    }

    static func json(_ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], _ write: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter()
        write(&writer)
        return .json(status, headers: headers, bytes: writer.bytes)
    }

    /// An answer with an entity tag of its content, or 304 to whoever knows that content. The tag is a weak one, so that the body may be
    /// compressed (RFC 9110, section 8.8.1).
    static func tagged(for request: Request, _ write: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter()
        write(&writer)
        let tag = "W/\"\(hexadecimal(sha256(writer.bytes).prefix(16)))\""
        if let known = request.headers[.ifNoneMatch], EntityTag.isListed(tag, in: known) {
            return Response(status: .notModified, headers: [.eTag: tag])
        }
        return .json(.ok, headers: [.eTag: tag], bytes: writer.bytes)
    }

    private static func json(_ status: HTTPResponse.Status, headers: HTTPFields, bytes: [UInt8]) -> Response {
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = "application/json" }
        // No browser shall take what somebody wrote into an event for a page.
        headers[.xContentTypeOptions] = "nosniff"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The problem document (RFC 9457) of an error.
    static func problem(_ error: EMSError, instance: String?) -> Response {
        var headers: HTTPFields = [.contentType: ProblemDocument.mediaType]
        switch error.code {
        case .unauthenticated, .invalidCredentials: headers[.wwwAuthenticate] = "Bearer"
        case .tokenExpired, .tokenRevoked: headers[.wwwAuthenticate] = "Bearer error=\"invalid_token\""
        default: break
        }
        if let seconds = error.retryAfter { headers[.retryAfter] = String(seconds) }
        if let allowance = error.allowance { headers.add(allowance) }
        return .json(
            HTTPResponse.Status(code: error.code.httpStatus), headers: headers, of: ProblemDocument(error, instance: instance))
    }
}

extension RequestParameter {
    /// The parameter or header of HTTP.
    fileprivate var location: [String] {
        switch self {
        case .tag, .sort, .near, .page, .after, .until: ["query", rawValue]
        case .radius: ["query", "radius_km"]
        case .pageSize: ["query", "page_size"]
        case .idempotencyKey: ["header", "Idempotency-Key"]
        }
    }
}

/// What every error looks like (RFC 9457).
struct ProblemDocument: JSONEncodable {
    static let mediaType = "application/problem+json"

    private let error: EMSError
    private let instance: String?

    /// - Parameter instance: the path that was asked for.
    init(_ error: EMSError, instance: String?) {
        self.error = error.naming(\.location)
        self.instance = instance
    }

    func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "about:blank")
            $0.member("title", error.code.title)
            $0.member("status", error.code.httpStatus)
            $0.member("code", error.code.rawValue)
            $0.member("detail", error.code.publicDetail ?? error.description)
            if let instance { $0.member("instance", instance) }
            if !error.fields.isEmpty { $0.member("errors", error.fields) }
        }
    }
}
