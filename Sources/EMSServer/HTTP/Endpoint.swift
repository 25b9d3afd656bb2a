import EMSCore
import HTTPTypes
import Hummingbird
import NIOHTTP1

/// What answers a request once its route is known: who asks, how often, and whether the answer is one of those declared, in one place.
struct Endpoint: Sendable {
    let operation: Operation
    private let services: RouteServices
    private let handler: @Sendable (APIRequest) async throws -> Response
    private let mediaTypes: [String]
    private let meter: ServerMetrics.Meter

    init(operation: Operation, services: RouteServices, handler: @escaping @Sendable (APIRequest) async throws -> Response) {
        self.operation = operation
        self.services = services
        self.handler = handler
        mediaTypes = operation.answers.compactMap(\.content?.mediaType)
        meter = services.metrics.meter(operation.id)
    }

    func answer(_ request: Request, _ context: APIContext) async throws -> Response {
        let start = ContinuousClock.now
        var allowance: RateAllowance?
        var response: Response
        do {
            if !mediaTypes.isEmpty { try AcceptHeader.check(request.headers[.accept], mediaTypes) }
            response = try await handled(request, context, &allowance)
        } catch let error as HTTPParserError {
            // The connection is beyond repair: the server answers 400 and closes it.
            throw error
        } catch {
            response = services.problems.response(to: error, request)
        }
        if let allowance, response.headers[.rateLimit] == nil { response.headers.add(allowance) }
        assert(operation.declares(response.status.code), "\(operation.id) does not declare the answer \(response.status.code)")
        meter.record(response.status.code, ContinuousClock.now - start)
        return response
    }

    private func handled(_ request: Request, _ context: APIContext, _ allowance: inout RateAllowance?) async throws -> Response {
        let address = services.server.proxies.client(of: context.peerAddress, forwardedFor: request.headers[values: .forwardedFor])
        var identity: AuthenticationService.Identity?
        if operation.access == .bearer {
            do {
                identity = try await services.authentication.authenticate(APIRequest.bearerToken(request))
            } catch {
                // Whoever guesses tokens is counted by address.
                allowance = try count(address.limitKey)
                throw error
            }
        }
        if operation.tag != .operations { allowance = try count(identity?.user.id.description ?? address.limitKey) }
        return try await handler(
            APIRequest(request: request, context: context, operation: operation, clientAddress: address, identity: identity))
    }

    private func count(_ key: String) throws -> RateAllowance? {
        guard let limiter = services.limiter else { return nil }
        let allowance = limiter.count(key)
        guard allowance.isGranted else { throw EMSError.rateLimited("too many requests", allowance) }
        return allowance
    }
}

extension HTTPFields {
    /// How much is left, in the fields of draft-ietf-httpapi-ratelimit-headers-03.
    mutating func add(_ allowance: RateAllowance) {
        self[.rateLimit] = String(allowance.limit)
        self[.rateLimitRemaining] = String(allowance.remaining)
        self[.rateLimitReset] = String(allowance.resetSeconds)
    }
}

extension HTTPField.Name {
    static let rateLimit = named("RateLimit-Limit")
    static let rateLimitRemaining = named("RateLimit-Remaining")
    static let rateLimitReset = named("RateLimit-Reset")
    static let idempotencyKey = named("Idempotency-Key")
    static let link = named("Link")
    static let forwardedFor = named("X-Forwarded-For")

    static func named(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no name of a header") }
        return name
    }
}
