#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A place on the WGS 84 ellipsoid, in decimal degrees: latitude −90…90, longitude −180…180.
public struct Coordinates: Hashable, Sendable {
    public let latitude: Double
    public let longitude: Double

    public init(latitude: Double, longitude: Double) {
        self.latitude = latitude
        self.longitude = longitude
    }

    /// The mean radius of the earth in kilometres (IUGG, R₁).
    public static let earthRadius = 6371.0088

    /// The great-circle distance in kilometres, by the haversine formula (R. W. Sinnott, "Virtues of the Haversine", 1984);
    /// the sphere differs from the ellipsoid by at most 0.6 %.
    public func distance(to other: Coordinates) -> Double {
        let (phi1, phi2) = (latitude * .pi / 180, other.latitude * .pi / 180)
        let deltaPhi = phi2 - phi1
        let deltaLambda = (other.longitude - longitude) * .pi / 180
        let h = sin(deltaPhi / 2) * sin(deltaPhi / 2) + cos(phi1) * cos(phi2) * sin(deltaLambda / 2) * sin(deltaLambda / 2)
        return 2 * Self.earthRadius * asin(min(1, h.squareRoot()))
    }

    /// The latitudes and longitudes between which everything within `radius` kilometres lies. Longitudes span the whole circle where
    /// the area holds a pole or crosses the antimeridian.
    public func bounds(radius: Double) -> (latitudes: ClosedRange<Double>, longitudes: ClosedRange<Double>) {
        let angle = radius / Self.earthRadius
        let degrees = angle * 180 / .pi
        let latitudes = max(-90, latitude - degrees)...min(90, latitude + degrees)
        guard latitudes.lowerBound > -90, latitudes.upperBound < 90 else { return (latitudes, -180...180) }
        let spread = asin(min(1, sin(angle) / cos(latitude * .pi / 180))) * 180 / .pi
        guard longitude - spread >= -180, longitude + spread <= 180 else { return (latitudes, -180...180) }
        return (latitudes, (longitude - spread)...(longitude + spread))
    }
}
