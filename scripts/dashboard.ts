/** Grafana's dashboard as data, written to otel/grafana/dashboards/ by `npm run generate`. */

type Query = { readonly expr: string; readonly legend: string };

type Panel = {
  readonly title: string;
  /** What it shows, where the title does not say it all. */
  readonly description?: string;
  /** As Grafana names units; none for plain numbers. */
  readonly unit?: string;
  readonly kind?: 'timeseries' | 'stat' | 'state-timeline' | 'heatmap';
  readonly isStacked?: boolean;
  readonly queries: readonly Query[];
};

type Row = { readonly title: string; readonly panels: readonly Panel[] };

const INSTANCE = 'instance=~"$instance"';
const REQUESTS = `http_server_request_duration_seconds_count{${INSTANCE}}`;
const WINDOW = '[$__rate_interval]';

const ROWS: readonly Row[] = [
  {
    title: 'Traffic',
    panels: [
      {
        title: 'Requests',
        unit: 'reqps',
        isStacked: true,
        queries: [
          {
            expr: `sum by (http_response_status_code) (rate(${REQUESTS}${WINDOW}))`,
            legend: '{{http_response_status_code}}',
          },
        ],
      },
      {
        title: 'Failed',
        description: 'Answers of 500 and above, and requests that got none.',
        unit: 'percentunit',
        queries: [
          {
            expr: `(sum(rate(http_server_request_duration_seconds_count{${INSTANCE}, http_response_status_code=~"5..|"}${WINDOW})) or vector(0)) / sum(rate(${REQUESTS}${WINDOW}))`,
            legend: 'failed',
          },
        ],
      },
      {
        title: 'Time of a request',
        unit: 's',
        queries: [quantile(0.5), quantile(0.95), quantile(0.99)],
      },
      {
        title: 'Times of requests',
        description: 'How many took how long.',
        unit: 's',
        kind: 'heatmap',
        queries: [
          {
            expr: `sum by (le) (increase(http_server_request_duration_seconds_bucket{${INSTANCE}, http_response_status_code!="101"}${WINDOW}))`,
            legend: '{{le}}',
          },
        ],
      },
      {
        title: 'Under way, by state',
        isStacked: true,
        queries: [
          {
            expr: `sum by (signalbox_state) (signalbox_requests_in_state{${INSTANCE}}) > 0`,
            legend: '{{signalbox_state}}',
          },
        ],
      },
      {
        title: 'Client connections',
        queries: [{ expr: `sum by (instance) (signalbox_connections{${INSTANCE}})`, legend: '{{instance}}' }],
      },
      {
        title: 'Requests lost in crashes',
        queries: [
          { expr: `increase(signalbox_requests_lost_total{${INSTANCE}}${WINDOW})`, legend: '{{instance}}' },
        ],
      },
      {
        title: 'TLS handshakes that failed',
        unit: 'ops',
        queries: [
          {
            expr: `sum by (signalbox_cause) (rate(signalbox_tls_handshake_failures_total{${INSTANCE}}${WINDOW}))`,
            legend: '{{signalbox_cause}}',
          },
        ],
      },
      {
        title: 'Until certificates expire',
        unit: 's',
        queries: [
          {
            expr: `min by (signalbox_certificate) (signalbox_tls_certificate_expiry_seconds{${INSTANCE}})`,
            legend: '{{signalbox_certificate}}',
          },
        ],
      },
      {
        title: 'By route',
        unit: 'reqps',
        queries: [{ expr: `sum by (http_route) (rate(${REQUESTS}${WINDOW}))`, legend: '{{http_route}}' }],
      },
    ],
  },
  {
    title: 'Upstreams',
    panels: [
      {
        title: 'Up',
        description: 'In the eyes of each instance.',
        kind: 'state-timeline',
        queries: [
          {
            expr: `min by (signalbox_pool, signalbox_upstream) (signalbox_upstream_up{${INSTANCE}})`,
            legend: '{{signalbox_pool}}/{{signalbox_upstream}}',
          },
        ],
      },
      {
        title: 'Attempts',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (signalbox_pool, signalbox_upstream) (rate(signalbox_attempts_total{${INSTANCE}}${WINDOW}))`,
            legend: '{{signalbox_pool}}/{{signalbox_upstream}}',
          },
        ],
      },
      {
        title: 'Attempts without an answer',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (signalbox_upstream, error_type) (rate(http_client_request_duration_seconds_count{${INSTANCE}, error_type!=""}${WINDOW}))`,
            legend: '{{signalbox_upstream}} {{error_type}}',
          },
        ],
      },
      {
        title: 'Time to the head of an answer, 95 %',
        unit: 's',
        queries: [
          {
            expr: `histogram_quantile(0.95, sum by (le, signalbox_upstream) (rate(http_client_request_duration_seconds_bucket{${INSTANCE}}${WINDOW})))`,
            legend: '{{signalbox_upstream}}',
          },
        ],
      },
      {
        title: 'Retries, by what went before',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (signalbox_cause) (rate(signalbox_retries_total{${INSTANCE}}${WINDOW}))`,
            legend: '{{signalbox_cause}}',
          },
        ],
      },
      {
        title: 'In flight',
        queries: [
          {
            expr: `sum by (signalbox_upstream) (signalbox_upstream_in_flight{${INSTANCE}})`,
            legend: '{{signalbox_upstream}}',
          },
        ],
      },
      {
        title: 'Waiting for room',
        description: 'Requests whose upstreams all have as many in flight as they may.',
        queries: [
          {
            expr: `sum by (signalbox_pool) (signalbox_queue_length{${INSTANCE}})`,
            legend: '{{signalbox_pool}}',
          },
        ],
      },
      {
        title: 'Time waited for room, 95 %',
        unit: 's',
        queries: [
          {
            expr: `histogram_quantile(0.95, sum by (le, signalbox_pool) (rate(signalbox_queue_duration_seconds_bucket{${INSTANCE}}${WINDOW})))`,
            legend: '{{signalbox_pool}}',
          },
        ],
      },
      {
        title: 'Avoided',
        description: 'By instances that could not connect to it a moment ago.',
        queries: [
          {
            expr: `sum by (signalbox_upstream) (signalbox_upstream_avoided{${INSTANCE}})`,
            legend: '{{signalbox_upstream}}',
          },
        ],
      },
      {
        title: 'Attempts on a connection that was open already',
        unit: 'percentunit',
        queries: [
          {
            expr: `1 - sum(rate(signalbox_upstream_connections_total{${INSTANCE}}${WINDOW})) / sum(rate(signalbox_attempts_total{${INSTANCE}}${WINDOW}))`,
            legend: 'reused',
          },
        ],
      },
      {
        title: 'Open connections',
        queries: [
          {
            expr: `sum by (server_address, server_port) (http_client_open_connections{${INSTANCE}})`,
            legend: '{{server_address}}:{{server_port}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Limits and refusals',
    panels: [
      {
        title: 'What limits decide',
        unit: 'reqps',
        isStacked: true,
        queries: [
          {
            expr: `sum by (signalbox_limit, signalbox_decision) (rate(signalbox_limit_decisions_total{${INSTANCE}}${WINDOW}))`,
            legend: '{{signalbox_limit}} {{signalbox_decision}}',
          },
        ],
      },
      {
        title: 'Buffered',
        description: 'Bodies kept for another attempt, and what slow readers have not read yet.',
        unit: 'bytes',
        queries: [
          { expr: `sum by (instance) (signalbox_buffered_bytes{${INSTANCE}})`, legend: '{{instance}}' },
        ],
      },
      {
        title: 'Shed',
        description: 'Turned away at the door, so that what is under way is served.',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (signalbox_reason) (rate(signalbox_shed_total{${INSTANCE}}${WINDOW}))`,
            legend: '{{signalbox_reason}}',
          },
        ],
      },
      {
        title: 'Refusals',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (signalbox_cause) (rate(signalbox_refusals_total{${INSTANCE}}${WINDOW}))`,
            legend: '{{signalbox_cause}}',
          },
        ],
      },
      {
        title: 'Counted',
        description: 'Clients, or what else limits count by.',
        queries: [{ expr: `signalbox_limit_keys{${INSTANCE}}`, legend: '{{instance}}' }],
      },
      {
        title: 'Shared limits are divided by',
        description: '1 while instances count together; an isolated one lets through its part.',
        queries: [{ expr: `signalbox_limit_divisor{${INSTANCE}}`, legend: '{{instance}}' }],
      },
    ],
  },
  {
    title: 'Cluster',
    panels: [
      {
        title: 'Instances heard of',
        queries: [{ expr: `signalbox_cluster_instances{${INSTANCE}}`, legend: '{{instance}}' }],
      },
      {
        title: 'Link to the bus',
        description: '1 while it is synced.',
        kind: 'state-timeline',
        queries: [
          {
            expr: `sum by (instance) (signalbox_cluster_link{${INSTANCE}, signalbox_state="synced"}) or sum by (instance) (signalbox_cluster_link{${INSTANCE}}) * 0`,
            legend: '{{instance}}',
          },
        ],
      },
      {
        title: 'Revision of the registry',
        queries: [{ expr: `signalbox_registry_revision{${INSTANCE}}`, legend: '{{instance}}' }],
      },
      {
        title: 'Since it was last certain',
        unit: 's',
        queries: [{ expr: `signalbox_registry_watch_age_seconds{${INSTANCE}}`, legend: '{{instance}}' }],
      },
    ],
  },
  {
    title: 'Instances',
    panels: [
      {
        title: 'CPU',
        description: 'Cores in use.',
        queries: [
          {
            expr: `sum by (instance) (rate(process_cpu_time_seconds_total{${INSTANCE}}${WINDOW}))`,
            legend: '{{instance}}',
          },
        ],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        queries: [{ expr: `process_memory_usage_bytes{${INSTANCE}}`, legend: '{{instance}}' }],
      },
      {
        title: 'Heaps',
        unit: 'bytes',
        queries: [
          { expr: `signalbox_heap_used_bytes{${INSTANCE}}`, legend: '{{instance}} {{signalbox_thread}}' },
        ],
      },
      {
        title: 'How late threads are, 99 %',
        unit: 's',
        queries: [
          {
            expr: `histogram_quantile(0.99, sum by (le, instance, signalbox_thread) (rate(signalbox_event_loop_delay_seconds_bucket{${INSTANCE}}${WINDOW})))`,
            legend: '{{instance}} {{signalbox_thread}}',
          },
        ],
      },
      {
        title: 'Spans',
        unit: 'cps',
        queries: [
          {
            expr: `sum by (signalbox_result) (rate(signalbox_spans_total{${INSTANCE}}${WINDOW}))`,
            legend: '{{signalbox_result}}',
          },
        ],
      },
      {
        title: 'Reloads',
        description: 'Of the configuration, and how many instances serve by which one.',
        queries: [
          {
            expr: `sum by (signalbox_result) (increase(signalbox_config_reloads_total{${INSTANCE}}${WINDOW}))`,
            legend: '{{signalbox_result}}',
          },
          {
            expr: `count by (signalbox_checksum) (signalbox_config_in_effect_time_seconds{${INSTANCE}})`,
            legend: '{{signalbox_checksum}}',
          },
        ],
      },
      {
        title: 'What runs',
        kind: 'stat',
        queries: [
          {
            expr: `count by (version, node_version) (signalbox_build_info{${INSTANCE}})`,
            legend: '{{version}}, Node {{node_version}}',
          },
        ],
      },
    ],
  },
];

function quantile(share: number): Query {
  const rate = `rate(http_server_request_duration_seconds_bucket{${INSTANCE}, http_response_status_code!="101"}${WINDOW})`;
  return { expr: `histogram_quantile(${share}, sum by (le) (${rate}))`, legend: `${share * 100} %` };
}

const WIDTH = 24;
const PANEL_WIDTH = 8;
const PANEL_HEIGHT = 8;
const SOURCE = { type: 'prometheus', uid: 'prometheus' };

export function renderDashboard(): string {
  let id = 0;
  let y = 0;
  const panels = ROWS.flatMap(({ title, panels }) => {
    const head = {
      id: ++id,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { h: 1, w: WIDTH, x: 0, y: y++ },
      panels: [],
    };
    const placed = panels.map((panel, index) => {
      const perLine = WIDTH / PANEL_WIDTH;
      const x = (index % perLine) * PANEL_WIDTH;
      const gridPos = {
        h: PANEL_HEIGHT,
        w: PANEL_WIDTH,
        x,
        y: y + Math.floor(index / perLine) * PANEL_HEIGHT,
      };
      return renderPanel(++id, panel, gridPos);
    });
    y += Math.ceil(panels.length / (WIDTH / PANEL_WIDTH)) * PANEL_HEIGHT;
    return [head, ...placed];
  });
  const dashboard = {
    uid: 'signalbox',
    title: 'Signalbox',
    tags: ['signalbox'],
    schemaVersion: 39,
    editable: true,
    refresh: '5s',
    time: { from: 'now-15m', to: 'now' },
    templating: { list: [instanceVariable()] },
    panels,
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

const OPTIONS: Readonly<Record<string, object>> = {
  timeseries: { tooltip: { mode: 'multi', sort: 'desc' } },
  // Prometheus has counted the buckets already.
  heatmap: { calculate: false, yAxis: { unit: 's' }, cellGap: 1 },
};

function renderPanel(id: number, panel: Panel, gridPos: object) {
  const { title, description = '', unit = 'short', kind = 'timeseries', isStacked = false, queries } = panel;
  const custom = { fillOpacity: isStacked ? 30 : 0, stacking: { mode: isStacked ? 'normal' : 'none' } };
  return {
    id,
    type: kind,
    title,
    description,
    gridPos,
    datasource: SOURCE,
    fieldConfig: {
      defaults: { unit, min: 0, ...(kind === 'timeseries' ? { custom } : {}) },
      overrides: [],
    },
    options: OPTIONS[kind] ?? {},
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: SOURCE,
      expr,
      legendFormat: legend,
      ...(kind === 'heatmap' ? { format: 'heatmap' } : {}),
    })),
  };
}

function instanceVariable() {
  return {
    name: 'instance',
    label: 'Instance',
    type: 'query',
    datasource: SOURCE,
    query: { query: 'label_values(signalbox_build_info, instance)', refId: 'instances' },
    refresh: 2,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}
