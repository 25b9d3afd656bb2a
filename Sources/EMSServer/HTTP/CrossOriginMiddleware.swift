import EMSCore
import HTTPTypes
import Hummingbird

/// Lets pages of the configured origins call us from a browser (the CORS protocol of the Fetch standard). Tokens travel in a header, so
/// that no credentials of the browser's own are asked for or let in.
struct CrossOriginMiddleware: RouterMiddleware {
    typealias Context = APIContext

    private static let exposed = ["ETag", "Location", "Link", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
    private static let allowed = ["Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key"]
    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    private static let preflightSeconds = 7200

    private let origins: Set<String>

    /// - Returns: `nil` where no origin is allowed.
    init?(_ origins: Set<String>) {
        guard !origins.isEmpty else { return nil }
        self.origins = origins
    }

    func handle(_ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response) async throws -> Response {
        let origin = request.headers[.origin].flatMap { origins.contains($0.lowercased()) ? $0 : nil }
        var response: Response
        if request.method == .options, let origin, request.headers[.accessControlRequestMethod] != nil {
            response = Self.preflight(origin)
        } else {
            response = try await next(request, context)
        }
        if let origin {
            response.headers[.accessControlAllowOrigin] = origin
            response.headers[.accessControlExposeHeaders] = Self.exposed.joined(separator: ", ")
        }
        // A cache must not hand one origin's answer to another.
        response.headers[.vary] = response.headers[.vary].map { "Origin, \($0)" } ?? "Origin"
        return response
    }

    private static func preflight(_ origin: String) -> Response {
        Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: methods.joined(separator: ", "),
                .accessControlAllowHeaders: allowed.joined(separator: ", "),
                .accessControlMaxAge: String(preflightSeconds),
            ])
    }
}
