/** What a service counts, in the format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats). */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; a prediction takes from some milliseconds to some seconds. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Counts of one service. */
export class ServiceMetrics {
  private readonly registry = new Registry();
  private readonly requests = new Counter({
    name: 'pyramidal_requests_total',
    help: 'Requests that were answered',
    labelNames: ['route', 'status'],
    registers: [this.registry],
  });
  private readonly seconds = new Histogram({
    name: 'pyramidal_request_seconds',
    help: 'Time from a request to its answer',
    labelNames: ['route'],
    buckets: BUCKETS,
    registers: [this.registry],
  });
  /** Requests in work. */
  readonly inWork = new Gauge({
    name: 'pyramidal_requests_in_work',
    help: 'Requests that wait or are worked on',
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  answered(route: string, status: number, seconds: number): void {
    this.requests.inc({ route, status });
    this.seconds.observe({ route }, seconds);
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  close(): void {
    this.registry.clear();
  }
}
