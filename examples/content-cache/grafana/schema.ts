// SPDX-License-Identifier: MIT OR Apache-2.0
// Holds the dashboard against the schema that Grafana publishes. The file
// dashboard.ts is the JSON, as 'export default { ... } satisfies Typed'.

import type { Dashboard, FieldConfig, Panel, RowPanel } from "@grafana/schema";
import type * as timeseries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// what JSON can hold of a type: the values of an enum for the enum
type Json<T> =
  T extends string ? `${T}` :
  T extends number ? (`${T}` extends `${infer N extends number}` ? N : number) :
  T extends (infer U)[] ? Json<U>[] :
  T extends object ? { [K in keyof T]: Json<T[K]> } : T;

// the schema leaves open what is a panel's own, and a data source's
type TimeSeries = Json<Omit<Panel, "type" | "options" | "fieldConfig" | "targets">> & {
  type: "timeseries";
  options: Json<timeseries.Options>;
  fieldConfig: {
    defaults: Json<Omit<FieldConfig, "custom">> & { custom: Json<timeseries.FieldConfig> };
    overrides: {
      matcher: { id: string; options: string };
      properties: { id: string; value: string }[];
    }[];
  };
  targets: { refId: string; target: string }[];
};

export type Typed = Json<Omit<Dashboard, "panels">> & { panels: (TimeSeries | Json<RowPanel>)[] };
