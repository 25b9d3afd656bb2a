import HTTPTypes
import Hummingbird
import NIOCore

/// Compresses long answers for clients that take gzip: pages of events shrink to a fifth.
///
/// Not those with a strong entity tag, which names the very bytes, and not those that must not be stored: they hold tokens, which must not
/// share a compressed body with what a client sent (BREACH, CVE-2013-3587).
struct CompressionMiddleware: RouterMiddleware {
    typealias Context = APIContext

    /// What is shorter fits a packet or two as it is.
    static let minimumBytes = 1400

    func handle(_ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response) async throws -> Response {
        var response = try await next(request, context)
        guard let length = response.body.contentLength, length >= Self.minimumBytes, response.headers[.eTag]?.hasPrefix("W/") != false,
            response.headers[.cacheControl] != "no-store", request.method != .head
        else { return response }
        response.headers[.vary] = response.headers[.vary].map { "\($0), Accept-Encoding" } ?? "Accept-Encoding"
        guard let accepted = request.headers[.acceptEncoding], AcceptEncoding.takesGzip(accepted) else { return response }
        let body = try await response.body.collected()
        guard let compressed = Gzip.compressed(body), compressed.readableBytes < body.readableBytes else {
            response.body = .init(byteBuffer: body)
            return response
        }
        response.headers[.contentEncoding] = "gzip"
        response.headers[.contentLength] = nil
        response.body = .init(byteBuffer: compressed)
        return response
    }
}

/// RFC 9110, section 12.5.3.
enum AcceptEncoding {
    static func takesGzip(_ header: String) -> Bool {
        var fallback = false
        for coding in header.split(separator: ",") {
            let parts = coding.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            switch parts.first {
            case "gzip", "x-gzip": return quality > 0
            case "*": fallback = quality > 0
            default: break
            }
        }
        return fallback
    }
}

extension ResponseBody {
    /// All bytes of the body.
    fileprivate func collected() async throws -> ByteBuffer {
        let collection = Collection()
        try await write(collection)
        return collection.bytes
    }

    private final class Collection: ResponseBodyWriter {
        private(set) var bytes = ByteBuffer()

        func write(_ buffer: ByteBuffer) async throws {
            bytes.writeImmutableBuffer(buffer)
        }

        func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}
