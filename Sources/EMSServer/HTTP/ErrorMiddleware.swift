import EMSCore
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1

/// Turns every error into a problem document, so that no client ever sees anything else.
struct ErrorMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let logger: Logger

    func handle(_ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPParserError {
            // The connection is beyond repair: the server answers 400 and closes it.
            throw error
        } catch {
            let described = Self.described(error, request)
            if described.code.httpStatus >= 500 {
                logger.error("\(request.method.rawValue) \(request.uri.path): \(described)")
            }
            return .problem(described, instance: request.uri.path)
        }
    }

    private static func described(_ error: any Error, _ request: Request) -> EMSError {
        if let error = error as? any HTTPResponseError {
            switch error.status {
            case .notFound: return EMSError(.notFound, "there is nothing at \(Printable.quoted(request.uri.path))")
            case .contentTooLarge: return EMSError(.tooLarge, "the body is too large")
            default: return EMSError(.malformed, "the request cannot be served: \(error.status.reasonPhrase)")
            }
        }
        return EMSError(error)
    }
}
