import { testMatrix } from './matrix.ts';

testMatrix('lighttpd');
