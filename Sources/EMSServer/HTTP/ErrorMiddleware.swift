import EMSCore
import HTTPTypes
import Hummingbird
import NIOHTTP1

/// Answers for what no route has answered: an unknown path, or another method than those of a path.
struct ErrorMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let problems: ProblemReporter
    let paths: KnownPaths

    func handle(_ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response) async throws -> Response {
        do {
            guard request.head.authority?.isEmpty != true else {
                throw EMSError(.malformed, "a request of HTTP/1.1 has one Host header", fix: "send Host: with the server's name")
            }
            guard request.headers.allSatisfy({ $0.value.isStreamSafe }), request.head.path?.isStreamSafe != false else {
                throw EMSError(.malformed, "the request's head has more than \(String.markLimit) combining marks in a row")
            }
            var response = try await next(request, context)
            // Said where it is so (RFC 9112, section 9.6): the server closes after such a request.
            if request.headers[.connection]?.lowercased() == "close", response.headers[.connection] == nil {
                response.headers[.connection] = "close"
            }
            return response
        } catch let error as HTTPParserError {
            // The connection is beyond repair: the server answers 400 and closes it.
            throw error
        } catch let error as HTTPError where error.status == .notFound {
            guard let allowed = paths.allowed(at: request.uri.path) else { return problems.response(to: error, request) }
            var response = Response.problem(
                EMSError(.methodNotAllowed, "\(request.method.rawValue) is not possible here", fix: "use \(allowed)"),
                instance: request.uri.path)
            response.headers[.allow] = allowed
            return response
        } catch {
            return problems.response(to: error, request)
        }
    }
}
