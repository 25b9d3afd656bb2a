import Hummingbird
import NIOHTTP1

/// Answers for what no route has answered: an unknown path, first of all.
struct ErrorMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let problems: ProblemReporter

    func handle(_ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPParserError {
            // The connection is beyond repair: the server answers 400 and closes it.
            throw error
        } catch {
            return problems.response(to: error, request)
        }
    }
}
