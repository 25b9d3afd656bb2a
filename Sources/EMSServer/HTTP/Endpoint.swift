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
        let requestID = RequestID.id(of: request)
        var allowance: RateAllowance?
        var response: Response
        do {
            if !mediaTypes.isEmpty { try AcceptHeader.check(request.headers[.accept], mediaTypes) }
            response = try await handled(request, context, requestID, &allowance)
        } catch let error as HTTPParserError {
            // The connection is beyond repair: the server answers 400 and closes it.
            throw error
        } catch {
            services.health.noteFailure(error)
            response = services.problems.response(to: declared(error), request)
        }
        if let allowance, response.headers[.rateLimit] == nil { response.headers.add(allowance) }
        // Only to who asked by name: answers to different requests must not differ by more than they say.
        if request.headers[.requestID] == requestID { response.headers[.requestID] = requestID }
        #if DEBUG
        // The tests look for errors in the log; a client must not be able to end the process.
        if !operation.declares(response.status.code) {
            services.runtime.logger.error("\(operation.id) does not declare the answer \(response.status.code)")
        }
        #endif
        meter.record(response.status.code, ContinuousClock.now - start)
        return response
    }

    /// A resource that an operation does not name cannot be missing, but for the user who asks: removed since the token was verified.
    private func declared(_ error: any Error) -> any Error {
        guard operation.access == .bearer, (error as? EMSError)?.code == .notFound, !operation.declares(404) else { return error }
        return EMSError(.tokenRevoked, "the account was removed", fix: "log in with another")
    }

    private func handled(
        _ request: Request, _ context: APIContext, _ requestID: String, _ allowance: inout RateAllowance?
    ) async throws -> Response {
        let address = services.clients.address(of: context.peerAddress, forwardedFor: request.headers[values: .forwardedFor])
        // Whoever watches over the daemon must get an answer whatever the store does.
        if operation.tag == .operations {
            return try await handler(
                APIRequest(
                    request: request, context: context, operation: operation, clientAddress: address, requestID: requestID, body: [],
                    identity: nil))
        }
        try services.runtime.expectStore()
        var identity: AuthenticationService.Identity?
        if operation.access == .bearer {
            do {
                identity = try await authenticated(request)
            } catch {
                // Whoever guesses tokens is counted by address.
                allowance = try count(address.limitKey)
                throw error
            }
        }
        let client = identity?.user.id.description ?? address.limitKey
        allowance = try count(client)
        try QueryReader.refuseUnknown(in: request.uri, of: operation)
        var body: [UInt8] = []
        if let description = operation.body {
            try APIRequest.require(description.mediaTypes, request.headers[.contentType])
            // Its own deadlines hold for the client (``RequestClock``). However long it took: what the token allows is asked again.
            let start = ContinuousClock.now
            body = try await APIRequest.body(of: request)
            if identity != nil, start.duration(to: .now) > Self.identityLifetime { identity = try await authenticated(request) }
        }
        let asked = APIRequest(
            request: request, context: context, operation: operation, clientAddress: address, requestID: requestID, body: body,
            identity: identity)
        let handler = handler
        let response = try await within { try await handler(asked) }
        return try services.budget.counted(response, connection: context.connectionName, user: client)
    }

    /// For how long the answer to who asks is relied on within one request.
    private static let identityLifetime: Duration = .seconds(1)

    private func authenticated(_ request: Request) async throws -> AuthenticationService.Identity {
        let token = try APIRequest.bearerToken(request)
        let authentication = services.authentication
        if let identity = authentication.knownIdentity(of: token) { return identity }
        return try await within { try await authentication.authenticate(token) }
    }

    /// Within the deadline of requests, where the store is asked at the least cost; of an expensive operation, a few at once for each user.
    private func within<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await RequestDeadline.run(seconds: services.server.requestTimeoutSeconds, on: services.executor, body)
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
    static let requestID = named("X-Request-Id")
    static let traceparent = named("traceparent")

    static func named(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no name of a header") }
        return name
    }
}
