/** Topics of the product. Keys: trace id, else event id, so that no tenant makes a hot partition. */
export const EVENTS_TOPIC = 'usage.events.v1'
export const ALERTS_TOPIC = 'usage.alerts.v1'
/** Consumer group of the pipeline. */
export const CONSUMER_GROUP = 'consume'
