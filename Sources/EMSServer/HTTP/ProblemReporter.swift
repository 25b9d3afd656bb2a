import EMSCore
import Hummingbird
import Logging

/// Turns every error into a problem document, so that no client ever sees anything else.
struct ProblemReporter: Sendable {
    /// Told of the errors that are not the client's.
    let logger: Logger

    func response(to error: any Error, _ request: Request) -> Response {
        let described = Self.described(error, request)
        if described.code.httpStatus >= 500 {
            logger.error("\(request.method.rawValue) \(Printable.stripped(request.uri.path)): \(described)")
        }
        return .problem(described, instance: request.uri.path)
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
