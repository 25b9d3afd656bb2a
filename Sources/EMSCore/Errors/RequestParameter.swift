/// A parameter of a request, beside its data. Each interface has its own name for it: that of a query, a header, or an option.
public enum RequestParameter: String, Sendable {
    case tag
    case sort
    case near
    case radius
    case page
    case pageSize = "page size"
    case after
    case until
    case idempotencyKey = "idempotency key"
}
