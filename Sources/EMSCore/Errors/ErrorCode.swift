/// The catalogue of everything that can go wrong, by stable code. From an entry come the exit status of the command line (sysexits),
/// the HTTP status and problem document, the WebSocket close code, and the manual page.
public enum ErrorCode: String, CaseIterable, Sendable {
    case usage
    case malformed
    case invalid
    case tooLarge = "too_large"
    case headersTooLarge = "headers_too_large"
    case unauthenticated
    case invalidCredentials = "invalid_credentials"
    case tokenExpired = "token_expired"
    case tokenRevoked = "token_revoked"
    case forbidden
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case notAcceptable = "not_acceptable"
    case unsupportedMediaType = "unsupported_media_type"
    case upgradeRequired = "upgrade_required"
    case usernameTaken = "username_taken"
    case emailTaken = "email_taken"
    case exists
    case versionConflict = "version_conflict"
    case idempotencyConflict = "idempotency_conflict"
    case rateLimited = "rate_limited"
    case busy
    case slowConsumer = "slow_consumer"
    case goingAway = "going_away"
    case unreachable
    case addressInUse = "address_in_use"
    case storeBusy = "store_busy"
    case storeFull = "store_full"
    case storeReadOnly = "store_read_only"
    case storeCorrupt = "store_corrupt"
    case storeTooNew = "store_too_new"
    case inputOutput = "io_error"
    case permission = "permission_denied"
    case configuration
    case partial
    case interrupted
    case failed
    case `internal`

    /// The exit status of the command line: the values of `sysexits.h` where they fit.
    public var exitStatus: Int32 {
        switch self {
        case .failed, .slowConsumer, .goingAway: 1
        case .partial: 3
        case .usage, .methodNotAllowed, .notAcceptable, .unsupportedMediaType, .upgradeRequired: 64
        case .malformed, .invalid, .tooLarge, .headersTooLarge, .storeCorrupt: 65
        case .notFound: 66
        case .unreachable: 69
        case .internal: 70
        case .usernameTaken, .emailTaken, .exists, .versionConflict, .idempotencyConflict: 73
        case .inputOutput, .storeFull: 74
        case .rateLimited, .busy, .storeBusy, .addressInUse: 75
        case .unauthenticated, .invalidCredentials, .tokenExpired, .tokenRevoked, .forbidden, .permission, .storeReadOnly: 77
        case .configuration, .storeTooNew: 78
        case .interrupted: 130
        }
    }

    /// Whether it is about the state of the world (a full disk, a server that is down), and not about what was asked: the same may
    /// succeed later.
    public var isPassing: Bool {
        switch self {
        case .busy, .storeBusy, .storeFull, .storeReadOnly, .storeCorrupt, .unreachable, .inputOutput, .permission, .interrupted: true
        default: false
        }
    }

    /// What strangers are told instead of the message, which names files and servers of this machine; `nil` if the message is for them.
    public var publicDetail: String? {
        switch self {
        case .internal: "something went wrong; it has been logged"
        case .unreachable: "the service is not available at the moment; try again in a moment"
        case .storeBusy: "the store is busy; try again in a moment"
        case .storeFull: "the store is full; nothing was written"
        case .storeReadOnly: "the store cannot be written to at the moment; nothing was written"
        case .storeCorrupt, .storeTooNew, .inputOutput, .permission, .configuration:
            "the store cannot answer; the operator has been notified"
        default: nil
        }
    }

    /// The status of the HTTP answer.
    public var httpStatus: Int {
        switch self {
        case .malformed, .usage: 400
        case .unauthenticated, .invalidCredentials, .tokenExpired, .tokenRevoked: 401
        case .forbidden: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .usernameTaken, .emailTaken, .exists: 409
        case .versionConflict: 412
        case .tooLarge: 413
        case .unsupportedMediaType: 415
        case .invalid, .idempotencyConflict: 422
        case .upgradeRequired: 426
        case .headersTooLarge: 431
        case .rateLimited: 429
        case .busy, .storeBusy, .unreachable, .goingAway, .storeReadOnly: 503
        case .storeFull: 507
        default: 500
        }
    }

    /// The code of the WebSocket close frame (RFC 6455, section 7.4; 4000–4999 are the application's own).
    public var webSocketCloseCode: UInt16 {
        switch self {
        case .goingAway: 1001
        case .malformed: 1007
        case .forbidden, .unauthenticated: 1008
        case .tooLarge: 1009
        case .busy, .storeBusy, .unreachable: 1013
        case .tokenExpired: 4001
        case .tokenRevoked: 4003
        case .slowConsumer: 4008
        default: 1011
        }
    }

    /// A few words that stay the same for every error of this code: the `title` of the problem document.
    public var title: String {
        switch self {
        case .usage: "Wrong usage"
        case .malformed: "Malformed request"
        case .invalid: "Invalid data"
        case .tooLarge: "Too large"
        case .headersTooLarge: "Request head too large"
        case .unauthenticated: "Not authenticated"
        case .invalidCredentials: "Wrong credentials"
        case .tokenExpired: "Token expired"
        case .tokenRevoked: "Token revoked"
        case .forbidden: "Not allowed"
        case .notFound: "Not found"
        case .methodNotAllowed: "Method not allowed"
        case .notAcceptable: "Not acceptable"
        case .unsupportedMediaType: "Unsupported media type"
        case .upgradeRequired: "Upgrade required"
        case .usernameTaken: "Username taken"
        case .emailTaken: "Email taken"
        case .exists: "Exists already"
        case .versionConflict: "Changed in the meantime"
        case .idempotencyConflict: "Idempotency key used for another request"
        case .rateLimited: "Too many requests"
        case .busy: "Busy"
        case .slowConsumer: "Client too slow"
        case .goingAway: "Shutting down"
        case .unreachable: "Server unreachable"
        case .addressInUse: "Address in use"
        case .storeBusy: "Store busy"
        case .storeFull: "Disk full"
        case .storeReadOnly: "Store read-only"
        case .storeCorrupt: "Store damaged"
        case .storeTooNew: "Store made by a newer version"
        case .inputOutput: "Input or output failed"
        case .permission: "Permission denied"
        case .configuration: "Wrong configuration"
        case .partial: "Partly done"
        case .interrupted: "Interrupted"
        case .failed: "Failed"
        case .internal: "Internal error"
        }
    }
}
