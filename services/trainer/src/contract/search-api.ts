import type { RouteDescription } from '@atelier/http';

export const searchRoutes: readonly RouteDescription[] = [];
